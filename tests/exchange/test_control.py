"""The control path, the stand-alone program, and what a hostile or slow peer can do."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import deribit_example
from deribit_example.exchange import (
    ControlError,
    ExchangeConfig,
    ExchangeControl,
    FaultName,
    ManualClock,
    SimulatedExchange,
)
from deribit_example.exchange.probe import Probe

BTC = "BTC-PERPETUAL"


def test_the_control_path_sees_and_does_what_the_process_itself_can(exchange: SimulatedExchange, trader: Probe) -> None:
    with ExchangeControl(exchange.url) as control:
        control.hold_fills(BTC)
        trader.call("private/buy", instrument_name=BTC, amount=40, price=84_200, label="c")
        assert control.orders() == exchange.orders()
        assert control.fill_order("c", 10).filled_amount == 10
        control.release_fills()
        assert [order.order_state for order in control.orders()] == ["filled"]
        assert control.trades() == exchange.trades()
        assert control.positions() == exchange.positions()
        assert control.positions()[0].size == Decimal(40)
        assert control.stats() == exchange.stats()


def test_the_control_path_arms_clears_and_counts_faults(exchange: SimulatedExchange, trader: Probe) -> None:
    with ExchangeControl(exchange.control_url) as control:
        control.arm_fault(FaultName.ERROR_BEFORE, count=None, code=11051, label_prefix="x")
        code = trader.code("private/buy", instrument_name=BTC, amount=10, price=84_000, label="x1")
        assert (code, control.fired(FaultName.ERROR_BEFORE)) == (11051, 1)
        control.clear_faults()
        trader.call("private/buy", instrument_name=BTC, amount=10, price=84_000, label="x2")
        fault = control.arm_fault("partial_fill", fraction=0.5)
        control.disarm_fault(fault)
        assert control.stats().armed_faults == 0


def test_the_control_path_moves_prices_cancels_orders_and_drops_connections(
    exchange: SimulatedExchange, trader: Probe
) -> None:
    trader.call("private/buy", instrument_name=BTC, amount=10, price=84_000, label="d")
    with ExchangeControl(exchange.url) as control:
        control.set_price(BTC, 84_100)
        assert trader.get("public/ticker", instrument_name=BTC)["mark_price"] == 84_100
        assert control.cancel_order_as_exchange("d", "settlement").cancel_reason == "settlement"
        assert control.drop_all_connections() == 1
        assert trader.closed().rcvd is None
        assert control.stats().orders == 1


def test_wrong_control_requests_are_errors_and_harm_nobody(exchange: SimulatedExchange) -> None:
    with ExchangeControl(exchange.url) as control:
        with pytest.raises(ControlError, match="no_such"):
            control.arm_fault("no_such")
        with pytest.raises(ControlError, match="nobody"):
            control.fill_order("nobody")
        with pytest.raises(ControlError, match="13020"):
            control.set_price("NO-SUCH", 1)
        with pytest.raises(ControlError):
            control.drop_all_connections("gently")
        assert control.stats().connections == 0


def send_for_ever(raw: socket.socket, data: bytes) -> None:
    while True:
        raw.sendall(data)


def test_a_peer_that_reads_too_slowly_is_cut_off(clock: ManualClock) -> None:
    config = ExchangeConfig(clock=clock, market_interval_millis=0, max_outbox=20, send_timeout_seconds=0.3)
    with SimulatedExchange(config=config) as exchange, ExitStack() as stack:
        place = urlsplit(exchange.url)
        raw = stack.enter_context(socket.socket())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        raw.settimeout(10)
        raw.connect((place.hostname, place.port))
        raw.sendall(
            f"GET {place.path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        exchange.wait_for(lambda seen: seen.connection_count == 1)
        request = b'{"id":1,"method":"public/get_instruments"}'
        frame = bytes([0x81, 0x80 | len(request), 0, 0, 0, 0]) + request
        with pytest.raises(OSError, match=r"reset|pipe|abort"):
            send_for_ever(raw, frame * 100)
        exchange.wait_for(lambda seen: seen.connection_count == 0)
        with Probe(exchange.url) as probe:
            probe.call("public/test")


def test_a_peer_that_never_finishes_its_handshake_does_not_delay_closing() -> None:
    exchange = SimulatedExchange(config=ExchangeConfig(market_interval_millis=0))
    with socket.create_connection(("127.0.0.1", exchange.port)) as raw:
        with Probe(exchange.url) as probe:  # the accept loop has passed the raw one by now
            probe.call("public/test")
        raw.settimeout(2)
        exchange.close()
        assert raw.recv(1) in (b"", b"H")


@contextmanager
def running(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The stand-alone program as a child process."""
    root = Path(deribit_example.__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "deribit_example.exchange", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_until_a_signal_and_ends_with_zero(tmp_path: Path, number: signal.Signals) -> None:
    port_file = tmp_path / "port"
    with running("--seed", "7", "--port-file", str(port_file)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert str(urlsplit(url).port) == port_file.read_text().strip()
        with Probe(url) as probe, ExchangeControl(url) as control:
            probe.login()
            probe.call("private/buy", instrument_name=BTC, amount=10, type="market", label="p")
            assert [order.label for order in control.orders()] == ["p"]
            process.send_signal(number)
            assert process.wait(timeout=10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_port_in_use_is_a_clear_error() -> None:
    config = ExchangeConfig(market_interval_millis=0)
    with SimulatedExchange(config=config) as exchange, running("--port", str(exchange.port)) as process:
        _, complaint = process.communicate(timeout=20)
        assert process.returncode == 3
        assert complaint.startswith(f"cannot listen on 127.0.0.1:{exchange.port}")
        assert "Traceback" not in complaint

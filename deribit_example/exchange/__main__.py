"""Run a simulated exchange alone: prints its url as the first line and serves until SIGINT or SIGTERM."""

import argparse
import os
import signal
import sys
import threading
from decimal import Decimal
from pathlib import Path
from types import FrameType

from deribit_example.exchange.accounts import Account
from deribit_example.exchange.config import ExchangeConfig
from deribit_example.exchange.server import SimulatedExchange

EXIT_PORT_TAKEN = 3
EXIT_PORT_FILE = 4


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal; returns the exit code: 0 after a signal, 2 bad arguments, 3 port taken, 4 port file."""
    options = _parser().parse_args(arguments)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    config = ExchangeConfig(
        host=options.host,
        port=options.port,
        accounts=(Account(client_id=options.client_id, client_secret=options.client_secret),),
        expires_in_seconds=options.expires_in,
        heartbeat_scale=options.heartbeat_scale,
        market_interval_millis=options.market_interval,
        volatility_bps=options.volatility,
    )
    try:
        exchange = SimulatedExchange(seed=options.seed, config=config)
    except OSError as error:
        print(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}", file=sys.stderr)
        return EXIT_PORT_TAKEN
    if options.until_eof:
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), name="input", daemon=True).start()
    with exchange:
        if options.port_file is not None:
            try:
                _write_port(options.port_file, exchange.port)
            except OSError as error:
                print(f"cannot write {options.port_file}: {error.strerror or error}", file=sys.stderr)
                return EXIT_PORT_FILE
        print(exchange.url, flush=True)
        while not stop.wait(timeout=60):
            pass
    return 0


def _stop_at_end_of_input(stop: threading.Event) -> None:
    # Not through sys.stdin: its lock, held here for ever, would hang the interpreter at exit.
    while os.read(0, 4096):
        continue
    stop.set()


def _write_port(path: Path, port: int) -> None:
    # A reader that sees the file must see the whole number.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(f"{port}\n", encoding="ascii")
    draft.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deribit_example.exchange", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="of the market")
    parser.add_argument("--port-file", type=Path, help="write the port number here once it listens")
    parser.add_argument("--client-id", default=Account().client_id)
    parser.add_argument("--client-secret", default=Account().client_secret)
    parser.add_argument("--expires-in", type=int, default=900, metavar="SECONDS", help="lifetime of access tokens")
    parser.add_argument("--heartbeat-scale", type=float, default=1.0, help="0.1 makes heartbeats ten times faster")
    parser.add_argument("--market-interval", type=int, default=100, metavar="MILLIS", help="0 lets the market stand")
    parser.add_argument("--volatility", type=Decimal, default=Decimal(1), metavar="BPS", help="of one market step")
    parser.add_argument("--until-eof", action="store_true", help="end with standard input, so with the parent process")
    return parser


if __name__ == "__main__":
    sys.exit(main())

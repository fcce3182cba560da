"""The processes of the demo: how they refuse to start, and that they end with their parent."""

import socket
from pathlib import Path
from queue import SimpleQueue

import pytest

from deribit_example.demo.children import Child, ExchangeProcess, ProgramProcess
from deribit_example.demo.exits import EXIT_USAGE, ExchangeFailed, ProgramFailed
from deribit_example.demo.messages import Report
from deribit_example.exchange import ExchangeControl

WAIT = 60


def test_an_exchange_that_cannot_listen_says_why(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ExchangeFailed, match=f"cannot listen on 127.0.0.1:{port}"):
            ExchangeProcess(tmp_path, seed=1, client_id="a", client_secret="b", port=port)


def test_an_exchange_runs_until_it_is_left(tmp_path: Path) -> None:
    with ExchangeProcess(tmp_path, seed=1, client_id="a", client_secret="b") as exchange:
        with ExchangeControl(exchange.url) as control:
            assert control.orders() == ()
        url = exchange.url
    with pytest.raises(OSError, match="refused"):
        ExchangeControl(url)


def test_the_end_of_its_input_ends_a_child(tmp_path: Path) -> None:
    child = Child("exchange", ("deribit_example.exchange", "--until-eof"), tmp_path / "log", {})
    assert child.stdout.readline().startswith("ws://")
    child.close_input()
    assert child.process.wait(WAIT) == 0
    assert child.end() == 0
    child.stdout.close()


def test_a_program_that_refuses_to_run_says_why_and_with_which_code(tmp_path: Path) -> None:
    reports: SimpleQueue[Report] = SimpleQueue()
    ends: SimpleQueue[tuple[int, ProgramFailed]] = SimpleQueue()
    program = ProgramProcess(
        ("--data-dir", str(tmp_path / "journals")),
        tmp_path / "log",
        {"DERIBIT_URL": "", "DERIBIT_CLIENT_ID": "", "DERIBIT_CLIENT_SECRET": ""},
        on_report=reports.put,
        on_end=lambda code, failure: ends.put((code, failure)),
    )
    code, failure = ends.get(timeout=WAIT)
    assert code == failure.exit_code == EXIT_USAGE
    assert "DERIBIT_CLIENT_ID" in str(failure)
    assert program.stop() == EXIT_USAGE
    assert not (tmp_path / "journals").exists()

"""The ledger has at most one effect a key, has it on disk before it answers, and outlives whoever asked."""

import multiprocessing
from pathlib import Path

import pytest

from tests.crash.book import Book
from tests.crash.evidence import read_ledger
from tests.crash.ledger_lines import Op, Request, Standing, What
from tests.crash.ledger_server import serve_ledger
from tests.crash.outside import RemoteLedger

DO = Request(op=Op.DO, saga=1, step="pay", key="k-do", attempt=1)
UNDO = Request(op=Op.UNDO, saga=1, step="pay", key="k-undo", of="k-do", attempt=1)
SUBMIT = Request(op=Op.SUBMIT, saga=1, step="pay", key="k-do", attempt=1, after=50)


def _effects(book: Book) -> list[tuple[What, bool]]:
    return [(line.what, line.effect) for line in book.take_lines()]


def test_a_second_attempt_under_the_same_key_has_no_second_effect() -> None:
    book = Book()
    assert book.handle(DO, 0).standing is Standing.DONE
    assert book.handle(DO, 0).standing is Standing.DONE
    assert _effects(book) == [(What.DO, True), (What.DO, False)]


def test_an_undo_flips_the_effect_once() -> None:
    book = Book()
    for request in (DO, UNDO, UNDO):
        book.handle(request, 0)
    assert book.standing("k-do") is Standing.UNDONE
    assert _effects(book) == [(What.DO, True), (What.UNDO, True), (What.UNDO, False)]


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([DO, UNDO, DO], id="done after it was undone"),
        pytest.param([UNDO], id="undone, and it was never done"),
        pytest.param([DO, UNDO, SUBMIT], id="submitted after it was undone"),
    ],
)
def test_what_must_not_happen_is_a_violation(requests: list[Request]) -> None:
    book = Book()
    for request in requests:
        book.handle(request, 0)
    assert What.VIOLATION in {what for what, _ in _effects(book)}


def test_an_order_has_its_effect_when_it_is_due_and_never_after_it_was_cancelled() -> None:
    book = Book()
    assert book.handle(SUBMIT, 0).standing is Standing.PENDING
    assert book.end_orders(49) == []
    assert book.end_orders(50) == ["k-do"]
    assert book.standing("k-do") is Standing.DONE
    cancelled = Book()
    cancelled.handle(SUBMIT, 0)
    assert cancelled.handle(Request(op=Op.CANCEL, key="k-do"), 1).standing is Standing.CANCELLED
    assert cancelled.end_orders(50) == []
    assert cancelled.handle(SUBMIT, 51).standing is Standing.CANCELLED


def test_what_is_answered_is_in_the_file_and_settling_waits_for_the_others(tmp_path: Path) -> None:
    driver_end, ledger_end = multiprocessing.get_context("forkserver").Pipe()
    process = multiprocessing.get_context("forkserver").Process(
        target=serve_ledger, args=(tmp_path / "ledger", ledger_end), daemon=True
    )
    process.start()
    ledger_end.close()
    assert driver_end.poll(60)
    port = driver_end.recv()
    program, driver = RemoteLedger(port, 3), RemoteLedger(port, 0)
    assert program.ask(DO).standing is Standing.DONE
    assert [(line.what, line.key, line.run) for line in read_ledger(tmp_path / "ledger")] == [(What.DO, "k-do", 3)]
    program.close()
    driver.ask(Request(op=Op.SETTLE))
    assert driver.ask(Request(op=Op.PROBE, key="k-do")).standing is Standing.DONE
    driver.close()
    driver_end.close()
    process.join(60)
    assert process.exitcode == 0

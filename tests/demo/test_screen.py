"""The views: what fits a terminal, and that the live screen draws whatever there is, at any size it accepts."""

import io

import pytest
from rich.console import Console

from deribit_example.demo.board import Board
from deribit_example.demo.exits import ProgramFailed, SceneFailed
from deribit_example.demo.messages import ConnectionChanged, Decided, FactSeen, Ready, TickSeen
from deribit_example.demo.screen import SMALLEST_HEIGHT, SMALLEST_WIDTH, draw
from deribit_example.demo.snapshot import Line, SceneTitle, Source
from deribit_example.demo.views import LiveView, PlainView, choose_view
from deribit_example.demo.words import plain_line, sparkline


def terminal(width: int, height: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, _environ={"TERM": "xterm"})


def busy_board(lines: list[Line]) -> Board:
    board = Board(lines.append, scenes=5)
    board.open_scene(SceneTitle(number=1, title="An order is filled", story="The market moves."))
    board.apply(Ready(pid=42))
    board.apply(ConnectionChanged(connected=True, detail="session ready"))
    for price in range(80):
        board.apply(TickSeen(instrument="BTC-PERPETUAL", price=str(84_000 + price), at_millis=price))
    board.apply(Decided(instrument="BTC-PERPETUAL", side="buy", confidence="0.95", saga="ab" * 16))
    board.apply(Decided(instrument="BTC-PERPETUAL", side="sell", confidence="0.10", reason="low_confidence"))
    board.apply(FactSeen(saga="ab" * 16, event="SagaStarted", at_millis=1))
    return board


@pytest.mark.parametrize(("width", "height"), [(SMALLEST_WIDTH, SMALLEST_HEIGHT), (100, 30), (120, 40), (250, 80)])
def test_the_screen_fills_the_terminal_exactly(width: int, height: int) -> None:
    console = terminal(width, height)
    state = busy_board([]).snapshot()
    rows = console.render_lines(draw(state, width, height), console.options.update(height=height))
    text = "\n".join("".join(segment.text for segment in row) for row in rows)
    assert len(rows) == height
    assert all(sum(segment.cell_length for segment in row) == width for row in rows)
    for wanted in ("Scene 1 of 5", "An order is filled", "pid 42", "84079.00", "SagaStarted", "1 weak signals"):
        assert wanted in text


def test_a_large_terminal_gets_the_live_view() -> None:
    view, why = choose_view(terminal(120, 40), {}, plain=False)
    assert isinstance(view, LiveView)
    assert why is None


def test_a_small_terminal_gets_lines_and_is_told_why() -> None:
    view, why = choose_view(terminal(60, 20), {}, plain=False)
    assert isinstance(view, PlainView)
    assert why is not None
    assert "60x20" in why


@pytest.mark.parametrize("name", ["NO_COLOR", "CI"])
def test_an_environment_without_colours_gets_lines(name: str) -> None:
    view, why = choose_view(terminal(120, 40), {name: "1"}, plain=False)
    assert isinstance(view, PlainView)
    assert why is not None
    assert name in why


def test_a_pipe_gets_lines() -> None:
    view, why = choose_view(Console(file=io.StringIO()), {}, plain=False)
    assert isinstance(view, PlainView)
    assert why is None


def test_plain_lines_leave_out_the_facts_that_the_time_lines_tell() -> None:
    lines: list[Line] = []
    busy_board(lines)
    shown = [text for text in map(plain_line, lines) if text is not None]
    assert "\n== Scene 1. An order is filled ==" in shown
    assert not any("SagaStarted" in text for text in shown)
    assert any(line.source is Source.FACT for line in lines)


def test_a_fact_that_is_told_twice_is_shown_once() -> None:
    lines: list[Line] = []
    board = busy_board(lines)
    board.apply(FactSeen(saga="ab" * 16, event="SagaStarted", at_millis=1))
    assert sum(line.source is Source.FACT for line in lines) == 1


def test_waiting_in_vain_names_what_did_not_come() -> None:
    with pytest.raises(SceneFailed, match="the moon"):
        busy_board([]).wait_for("the moon", lambda board: None, 0.01)


def test_waiting_ends_when_the_program_does() -> None:
    board = busy_board([])
    board.program_ended("ended", ProgramFailed("it fell over", 4))
    with pytest.raises(ProgramFailed, match="fell over"):
        board.wait_for("the moon", lambda board: None, 60)


def test_a_sparkline_spans_its_own_prices() -> None:
    assert sparkline((1.0, 2.0, 3.0), 3) == "▁▅█"
    assert sparkline((5.0, 5.0), 9) == "▁▁"
    assert sparkline((), 9) == ""

"""How things are written for a person, the same in every view."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from deribit_example.demo.journals import STEPS, SagaRecords
from deribit_example.demo.snapshot import Line, SagaView, Source
from deribit_example.demo.timeline import Tone
from saga_choreography.events import OutcomeKind

SHORT_ID: Final = 8
TONES: Final = {Tone.PLAIN: "", Tone.GOOD: "green", Tone.DOUBT: "yellow", Tone.BAD: "red"}
SOURCES: Final = {
    Source.SCENE: "bold",
    Source.EXCHANGE: "magenta",
    Source.PROGRAM: "bold yellow",
    Source.SIGNAL: "cyan",
    Source.FACT: "dim",
    Source.SAGA: "",
}
_BARS: Final = "▁▂▃▄▅▆▇█"
_ASCII_BARS: Final = "_.-=+*#"


def short(saga: str) -> str:
    """The end of a saga id: the beginning is its time, alike in all sagas of a run."""
    return saga[-SHORT_ID:]


def number(value: Decimal) -> str:
    """An amount without zeros that say nothing."""
    return f"{value.normalize():f}"


def offset(millis: int) -> str:
    """Milliseconds since the start of a saga."""
    return f"+{millis} ms"


def outcome_word(records: SagaRecords) -> str:
    """How a saga stands."""
    match records.outcome:
        case OutcomeKind.COMPLETED:
            return "completed"
        case OutcomeKind.FAILED:
            return "failed"
        case None:
            return "parked" if records.is_parked else "running"


def outcome_style(records: SagaRecords) -> str:
    """Its colour."""
    return {"completed": "green", "failed": "red", "parked": "bold red", "running": "yellow"}[outcome_word(records)]


def steps_word(view: SagaView) -> str:
    """Each step with the last thing that happened to it."""
    last = {moment.step: moment.event for moment in view.moments}
    return ", ".join(f"{step.removesuffix('_order')} {last[step]}" for step in STEPS if step in last)


def attempts_word(records: SagaRecords) -> str:
    """How often what ran: undo runs stand apart."""
    attempts = records.attempts
    forward = "+".join(str(attempts[step]) for step in STEPS if step in attempts)
    undo = sum(count for name, count in attempts.items() if name.startswith("undo "))
    return f"{forward or '0'}, undo {undo}" if undo else forward or "0"


def sparkline(prices: Sequence[float], width: int, *, ascii_only: bool = False) -> str:
    """The newest prices as a row of bars."""
    bars = _ASCII_BARS if ascii_only else _BARS
    shown = prices[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0
    return "".join(bars[round((price - low) / span * (len(bars) - 1))] for price in shown)


def plain_line(line: Line) -> str | None:
    """A line of the log as plain text; None for those that the time lines say better."""
    if line.moment is not None:
        moment = line.moment
        attempt = f"attempt {moment.attempt}" if moment.attempt else ""
        text = f"{offset(moment.offset_millis):>9}  {moment.step:<14} {moment.event:<15} {attempt:<10} {moment.detail}"
        return f"   saga {short(line.saga)} {text}".rstrip()
    if line.source is Source.FACT:
        return None
    if line.heading:
        return f"\n== {line.text} =="
    label = "" if line.source is Source.SCENE else f"{line.source.value:<9} "
    return f"   {label}{line.text}"

"""The story of a schedule: what happened, one line a thing. The same seed gives the same story on every interpreter."""

from collections.abc import Sequence
from typing import Final, TypeAlias, final

from attrs import define, field

from saga_choreography.events import CompensationRequested, SagaFailed, TimestampedEvent
from saga_choreography.helpers.peer import Directed
from saga_choreography.helpers.signals import DeadlineFired, Events, PeerJoined, ResolveStep, TimerFired
from saga_choreography.types import SagaId

_SHOWN: Final = (
    "step_name", "sequence", "attempt", "late", "status", "kind", "resolution", "outcome", "raised", "failure",
    "doubtful", "error",
)  # fmt: skip

Line: TypeAlias = tuple[int, str, SagaId | None, str, object]
"""Virtual milliseconds, who, of which saga (None: of all), a verb, and what."""


@final
@define(eq=False)
class Story:
    """Kept only when asked for: telling it takes time."""

    is_told: bool
    lines: list[Line] = field(factory=list)

    def add(self, millis: int, who: str, saga_id: SagaId | None, verb: str, what: object = "") -> None:
        """One more line."""
        if self.is_told:
            self.lines.append((millis, who, saga_id, verb, what))

    def text(self, saga_id: SagaId | None = None) -> Sequence[str]:
        """The lines about one saga (None: all of them)."""
        return tuple(
            f"{millis:>7} ms {who:>10} {verb} {show(what)}".rstrip()
            for millis, who, about, verb, what in self.lines
            if saga_id is None or about is None or about == saga_id
        )


def saga_of(signal: object) -> SagaId | None:
    """The saga a signal is about; None: about none, or about all."""
    return getattr(signal, "saga_id", None)


def show(what: object) -> str:
    """A thing in a few words, without ids and times."""
    match what:
        case str():
            return what
        case TimestampedEvent(sequence=sequence, event=event):
            return f"#{sequence} {show(event)}"
        case Directed(step_name, event):
            return f"to {step_name} alone: {show(event)}"
        case Events(events):
            return ", ".join(map(show, events))
        case TimerFired(stimulus=stimulus) | DeadlineFired(stimulus=stimulus):
            return f"timer {show(stimulus)}"
        case PeerJoined(peer):
            return f"PeerJoined {peer.peer_id}"
        case ResolveStep(resolution=resolution):
            return f"ResolveStep {resolution.value}"
        case _:
            return _fields(what)


def _fields(what: object) -> str:
    words = [type(what).__name__]
    for name in _SHOWN:
        value = getattr(what, name, None)
        if value is None or value is False:
            continue
        words.append(str(getattr(value, "value", value)))
    if isinstance(what, CompensationRequested | SagaFailed):
        words.append(what.cause.kind.value)
    return " ".join(words)

"""An operator's word on a quarantined step: recorded with who, when and why; then the saga goes on."""

from typing import assert_never

from saga_choreography.events import QuarantineResolved, ResolutionKind
from saga_choreography.protocol import attempts, undo
from saga_choreography.protocol.commands import Refuse
from saga_choreography.protocol.stimuli import OperatorResolved
from saga_choreography.protocol.telling import tell_fact
from saga_choreography.protocol.turn import Turn
from saga_choreography.state import Quarantined, is_in


def resolved(turn: Turn, word: OperatorResolved) -> None:
    """Apply the word, or refuse it with nothing changed."""
    entry = turn.entry
    if not is_in(entry, Quarantined):
        turn.do(Refuse(f"the step is {type(entry.state).__name__}, not Quarantined"))
        return
    compensating = entry.state.while_compensating
    if word.resolution is ResolutionKind.COMPLETED:
        if compensating:
            turn.do(Refuse("its undo failed, so it cannot be resolved as completed; say undone, not_executed or retry"))
            return
        if word.output is None or word.undo is None:
            turn.do(Refuse("a step resolved as completed needs its output and its undo data"))
            return
    turn.record(
        QuarantineResolved(resolution=word.resolution, by=word.by, why=word.why, output=word.output, undo=word.undo)
    )
    match word.resolution:
        case ResolutionKind.RETRY if compensating:
            undo.run_committed(turn, entry.state.attempts + 1)
        case ResolutionKind.RETRY:
            attempts.run_committed(turn, entry.state.attempts + 1)
        case ResolutionKind.COMPLETED:
            undo.completed(turn)
        case ResolutionKind.UNDONE | ResolutionKind.NOT_EXECUTED:
            tell_fact(turn)
        case _:
            assert_never(word.resolution)

"""What an operator sees of a quarantined step: all the evidence there is, read from the participant's journal."""

from collections.abc import Iterator
from typing import final

from attrs import frozen

from saga_choreography.helpers.participant import ParticipantEngine
from saga_choreography.types import PeerId, SagaId


@final
@frozen(kw_only=True)
class QuarantinedRecord:
    """A step that waits for `SagaSystem.resolve`.

    `step_input`, `output` and `undo` are the decoded values (raw bytes if they do not decode any more); `output` and
    `undo` are None while the forward step is in doubt. `why` is the reason, `error` the last error of business code.
    """

    saga_id: SagaId
    saga_type: str
    step_name: str
    participant: PeerId
    quarantined_at_millis: int
    while_compensating: bool
    why: str
    error: str | None
    attempts: int
    step_input: object
    output: object
    undo: object


def quarantined_in(engine: ParticipantEngine[object, object, object]) -> Iterator[QuarantinedRecord]:
    """The quarantined steps of one participant. Any thread: reads committed records only."""
    for entry in engine.quarantined():
        state = entry.state
        bound = engine.bound(entry.origin.saga_type)
        yield QuarantinedRecord(
            saga_id=entry.saga_id,
            saga_type=entry.origin.saga_type,
            step_name=entry.step_name,
            participant=engine.surroundings.peer_id,
            quarantined_at_millis=state.quarantined_at_millis,
            while_compensating=state.while_compensating,
            why=state.reason,
            error=state.error,
            attempts=state.attempts,
            step_input=bound.show_input(state.input),
            output=None if state.output is None else bound.show(bound.outputs, state.output),
            undo=None if state.undo is None else bound.show(bound.undos, state.undo),
        )

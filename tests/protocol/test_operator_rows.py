"""An operator's word on a parked step: recorded with who, when and why; refused when it does not fit."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from saga_choreography.events import (
    CompensationCompleted,
    CompensationStarted,
    QuarantineResolved,
    ResolutionKind,
    SagaChoreographyEvent,
    StepAck,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from saga_choreography.protocol.commands import Decision, Publish, Refuse, RunCompensation, RunStep
from saga_choreography.protocol.stimuli import (
    CompensationRaised,
    CompensationReturned,
    OperatorResolved,
    Raised,
    Recovered,
    RunGranted,
    StepRaised,
    StepReturned,
    Stimulus,
)
from saga_choreography.state import Compensated, Compensating, Completed, Executing, Failed, Quarantined
from saga_choreography.types import InDoubt, SagaOrigin

Heard: TypeAlias = Mapping[str, SagaChoreographyEvent]
Last: TypeAlias = Callable[..., Decision]
Line: TypeAlias = Callable[..., SagaOrigin]

RUN = RunGranted()
DONE = StepReturned(b"out", b"undo")


def word(kind: ResolutionKind, output: bytes | None = None, undo: bytes | None = None) -> OperatorResolved:
    return OperatorResolved(resolution=kind, by="ada", why="looked", output=output, undo=undo)


def told(decision: Decision) -> list[type[SagaChoreographyEvent]]:
    return [type(command.event) for command in decision.commands if isinstance(command, Publish)]


@pytest.fixture
def cautious(line: Line) -> SagaOrigin:
    return line(in_doubt=InDoubt.QUARANTINE)


@pytest.fixture
def in_doubt(heard: Heard) -> tuple[Stimulus, ...]:
    return heard["a completed"], RUN, StepRaised(Raised.AMBIGUOUS, "timeout")


@pytest.fixture
def not_undone(heard: Heard) -> tuple[Stimulus, ...]:
    stuck = CompensationRaised(False, "gone")
    return heard["a completed"], RUN, DONE, heard["fence"], heard["c never ran"], stuck


@pytest.mark.parametrize("kind", [ResolutionKind.UNDONE, ResolutionKind.NOT_EXECUTED])
def test_a_forward_step_without_effect_has_failed_by_the_operators_word(
    kind: ResolutionKind, last: Last, cautious: SagaOrigin, in_doubt: tuple[Stimulus, ...]
) -> None:
    decision = last(cautious, *in_doubt, word(kind))
    assert decision.entry.state == Failed(failed_at_millis=1_040, error=f"{kind.value} by ada: looked")
    assert told(decision) == [StepFailed]
    assert [record.event for record in decision.records] == [
        QuarantineResolved(resolution=kind, by="ada", why="looked")
    ]


def test_a_forward_step_resolved_as_completed_goes_on_with_the_operators_output(
    last: Last, cautious: SagaOrigin, in_doubt: tuple[Stimulus, ...]
) -> None:
    decision = last(cautious, *in_doubt, word(ResolutionKind.COMPLETED, b"o", b"u"))
    state = decision.entry.state
    assert isinstance(state, Completed)
    assert (state.output, state.undo) == (b"o", b"u")
    assert told(decision) == [StepCompleted]


def test_completed_behind_the_fence_is_undone_with_the_operators_undo_data(
    last: Last, cautious: SagaOrigin, in_doubt: tuple[Stimulus, ...], heard: Heard
) -> None:
    stimuli = (*in_doubt, heard["fence"], heard["c never ran"], word(ResolutionKind.COMPLETED, b"o", b"u"))
    decision = last(cautious, *stimuli)
    assert decision.commands[-1] == RunCompensation()
    assert isinstance(decision.entry.state, Compensating)
    assert decision.entry.state.undo == b"u"


@pytest.mark.parametrize("fenced", [False, True])
def test_retry_runs_the_forward_step_again_as_doubtful(
    fenced: bool, last: Last, cautious: SagaOrigin, in_doubt: tuple[Stimulus, ...], heard: Heard
) -> None:
    fence = (heard["fence"],) if fenced else ()
    decision = last(cautious, *in_doubt, *fence, word(ResolutionKind.RETRY))
    state = decision.entry.state
    assert isinstance(state, Executing)
    assert (state.attempt, state.doubtful) == (2, True)
    assert decision.commands[-1] == RunStep()
    assert told(decision) == [StepStarted]


def test_a_retry_that_ends_in_doubt_again_is_parked_again(
    last: Last, cautious: SagaOrigin, in_doubt: tuple[Stimulus, ...]
) -> None:
    again = (word(ResolutionKind.RETRY), StepRaised(Raised.AMBIGUOUS, "again"))
    decision = last(cautious, *in_doubt, *again)
    assert isinstance(decision.entry.state, Quarantined)
    assert decision.entry.state.attempts == 2
    assert told(decision) == [StepAck]


@pytest.mark.parametrize("kind", [ResolutionKind.UNDONE, ResolutionKind.NOT_EXECUTED])
def test_an_undo_resolved_by_hand_is_undone(
    kind: ResolutionKind, last: Last, line: Line, not_undone: tuple[Stimulus, ...]
) -> None:
    decision = last(line(), *not_undone, word(kind))
    assert isinstance(decision.entry.state, Compensated)
    assert told(decision) == [CompensationCompleted]


def test_retry_runs_the_undo_again_with_its_evidence(last: Last, line: Line, not_undone: tuple[Stimulus, ...]) -> None:
    decision = last(line(), *not_undone, word(ResolutionKind.RETRY))
    state = decision.entry.state
    assert isinstance(state, Compensating)
    assert (state.attempt, state.undo, state.output) == (2, b"undo", b"out")
    assert told(decision) == [CompensationStarted]
    assert decision.commands[-1] == RunCompensation()
    undone = last(line(), *not_undone, word(ResolutionKind.RETRY), CompensationReturned())
    assert isinstance(undone.entry.state, Compensated)


def test_an_undo_cannot_be_resolved_as_completed(last: Last, line: Line, not_undone: tuple[Stimulus, ...]) -> None:
    decision = last(line(), *not_undone, word(ResolutionKind.COMPLETED, b"o", b"u"))
    assert [type(command) for command in decision.commands] == [Refuse]
    assert decision.records == ()


@pytest.mark.parametrize(("output", "undo"), [(None, None), (b"o", None), (None, b"u")])
def test_completed_needs_output_and_undo_data(
    output: bytes | None, undo: bytes | None, last: Last, cautious: SagaOrigin, in_doubt: tuple[Stimulus, ...]
) -> None:
    decision = last(cautious, *in_doubt, word(ResolutionKind.COMPLETED, output, undo))
    assert [type(command) for command in decision.commands] == [Refuse]
    before = last(cautious, *in_doubt)
    assert (decision.entry, decision.told) == (before.entry, before.told)


@pytest.mark.parametrize("kind", ResolutionKind)
def test_a_word_on_a_step_that_is_not_parked_is_refused_with_nothing_changed(
    kind: ResolutionKind, last: Last, line: Line, heard: Heard
) -> None:
    for before in ((), (RUN,), (RUN, DONE), (RUN, StepRaised(Raised.NO_EFFECT, "no"))):
        stimuli = (heard["a completed"], *before)
        decision = last(line(), *stimuli, word(kind, b"o", b"u"))
        assert [type(command) for command in decision.commands] == [Refuse]
        unchanged = last(line(), *stimuli)
        assert (decision.entry, decision.told, decision.records) == (unchanged.entry, unchanged.told, ())


def test_the_same_word_again_is_refused(last: Last, cautious: SagaOrigin, in_doubt: tuple[Stimulus, ...]) -> None:
    decision = last(cautious, *in_doubt, word(ResolutionKind.UNDONE), word(ResolutionKind.UNDONE))
    assert [type(command) for command in decision.commands] == [Refuse]


def test_a_parked_step_stays_parked_whatever_else_arrives(
    last: Last, line: Line, heard: Heard, in_doubt: tuple[Stimulus, ...]
) -> None:
    origin = line(in_doubt=InDoubt.QUARANTINE)
    parked = last(origin, *in_doubt).entry.state
    for stray in (DONE, RUN, Recovered(), heard["fence"], heard["a completed"], heard["c never ran"]):
        assert last(origin, *in_doubt, stray).entry.state == parked


def test_a_pure_step_that_ends_the_program_in_every_attempt_fails_without_an_operator(
    last: Last, line: Line, heard: Heard
) -> None:
    origin = line(pure=True, in_doubt_attempts=1)
    decision = last(origin, heard["a completed"], RUN, *[Recovered()] * 3)
    assert isinstance(decision.entry.state, Failed)

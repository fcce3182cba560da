"""Every way business code can end becomes one stimulus, and nothing escapes."""

from typing import cast

import pytest

from saga_choreography import (
    AmbiguousCompensationError,
    AmbiguousStepError,
    CompensationRequiredError,
    ProbeResult,
    RetryableStepError,
    SafeToRetryCompensationError,
    Saga,
    SagaContext,
    SagaParticipant,
    Step,
    StepNotExecuted,
    StepOutcomeUnknown,
    StepOutput,
    StepPending,
    TerminalCompensationError,
    TerminalStepError,
)
from saga_choreography.helpers.execution import (
    bind,
    cancel_wrapper,
    compensate_wrapper,
    execute_step_wrapper,
    probe_wrapper,
)
from saga_choreography.protocol.stimuli import (
    CompensationRaised,
    CompensationReturned,
    NotExecuted,
    ProbeRaised,
    Raised,
    StepDeferred,
    StepRaised,
    StepReturned,
    StillUnknown,
)
from saga_choreography.protocol.workflow import link
from saga_choreography.state import Compensating, Executing, ParticipantState
from saga_choreography.testing import ManualClock
from saga_choreography.types import SAGA_START, PeerId, SagaOrigin, SagaPlan, StepInput, new_saga_id

ERRAND = Saga("errand", int)
STEP = Step[int, str, bytes]("step", str, after=ERRAND, undo=bytes)
PLAN = SagaPlan(saga_type="errand", steps=link([STEP.plan()]))
ORIGIN = SagaOrigin(saga_id=new_saga_id(), initiator=PeerId("i"), started_at_millis=1, plan=PLAN)


class Scripted(SagaParticipant[int, str, bytes]):
    """Does what it is told: returns it, or raises it."""

    step = STEP

    def __init__(self, script: object) -> None:
        self.script = script
        self.contexts: list[SagaContext] = []

    def play(self, context: SagaContext) -> object:
        self.contexts.append(context)
        if isinstance(self.script, BaseException):
            raise self.script
        return self.script

    def execute_step(self, context: SagaContext, step_input: int) -> StepOutput[str, bytes] | StepPending:
        return cast("StepOutput[str, bytes]", self.play(context))

    def compensate_step(self, context: SagaContext, undo: bytes) -> None:
        self.play(context)

    def probe_step(self, context: SagaContext, step_input: int) -> ProbeResult[str, bytes]:
        return cast("ProbeResult[str, bytes]", self.play(context))

    def cancel_step(self, context: SagaContext, step_input: int) -> ProbeResult[str, bytes]:
        return cast("ProbeResult[str, bytes]", self.play(context))


def executing(step_input: StepInput = ((SAGA_START, b"\x05"),)) -> ParticipantState[Executing]:
    state = Executing(started_at_millis=1, input=step_input, attempt=2)
    return ParticipantState(origin=ORIGIN, step_name="step", updated_at_millis=1, state=state)


def compensating() -> ParticipantState[Compensating]:
    state = Compensating(started_at_millis=1, output=b"", undo=b"raw", input=(), attempt=3)
    return ParticipantState(origin=ORIGIN, step_name="step", updated_at_millis=1, state=state)


DONE = StepOutput("yes", b"raw")
ENCODED = StepReturned(b"\xa3yes", b"raw")


@pytest.mark.parametrize(
    ("script", "stimulus"),
    [
        (DONE, ENCODED),
        (StepPending(), StepDeferred(None)),
        (StepPending(timeout_millis=50), StepDeferred(1050)),
        (TerminalStepError("no"), StepRaised(Raised.NO_EFFECT, "TerminalStepError: no")),
        (CompensationRequiredError("no"), StepRaised(Raised.NO_EFFECT, "CompensationRequiredError: no")),
        (RetryableStepError("later"), StepRaised(Raised.RETRYABLE, "RetryableStepError: later")),
        (AmbiguousStepError("?"), StepRaised(Raised.AMBIGUOUS, "AmbiguousStepError: ?")),
        (KeyError("x"), StepRaised(Raised.UNEXPECTED, "KeyError: 'x'")),
        (RuntimeError(), StepRaised(Raised.UNEXPECTED, "RuntimeError")),
    ],
)
def test_a_step_that_ends_like_this_gives_that_stimulus(script: object, stimulus: object) -> None:
    participant = Scripted(script)
    assert execute_step_wrapper(participant, bind(participant, STEP), executing(), ManualClock(1000)) == stimulus
    assert participant.contexts[0].attempt == 2


@pytest.mark.parametrize("script", ["not a StepOutput", StepOutput("yes", cast("bytes", 5)), None])
def test_a_result_of_the_wrong_kind_is_an_unexpected_error(script: object) -> None:
    participant = Scripted(script)
    stimulus = execute_step_wrapper(participant, bind(participant, STEP), executing(), ManualClock(1000))
    assert isinstance(stimulus, StepRaised)
    assert stimulus.raised is Raised.UNEXPECTED
    assert "step" in stimulus.error


def test_an_input_that_does_not_decode_fails_the_step_before_it_runs() -> None:
    participant = Scripted(DONE)
    stimulus = execute_step_wrapper(
        participant, bind(participant, STEP), executing(((SAGA_START, b"\xc1"),)), ManualClock(1000)
    )
    assert isinstance(stimulus, StepRaised)
    assert stimulus.raised is Raised.NO_EFFECT
    assert participant.contexts == []


@pytest.mark.parametrize(
    ("script", "stimulus"),
    [
        (None, CompensationReturned()),
        (SafeToRetryCompensationError("busy"), CompensationRaised(True, "SafeToRetryCompensationError: busy")),
        (KeyError("x"), CompensationRaised(True, "KeyError: 'x'")),
        (AmbiguousCompensationError("?"), CompensationRaised(False, "AmbiguousCompensationError: ?")),
        (TerminalCompensationError("no"), CompensationRaised(False, "TerminalCompensationError: no")),
    ],
)
def test_an_undo_that_ends_like_this_gives_that_stimulus(script: object, stimulus: object) -> None:
    participant = Scripted(script)
    assert compensate_wrapper(participant, bind(participant, STEP), compensating()) == stimulus


@pytest.mark.parametrize(
    ("script", "stimulus"),
    [
        (DONE, ENCODED),
        (StepPending(), StepDeferred(None)),
        (StepNotExecuted(), NotExecuted()),
        (StepOutcomeUnknown("dark"), StillUnknown("dark")),
        (KeyError("x"), ProbeRaised("KeyError: 'x'")),
    ],
)
def test_a_probe_that_answers_like_this_gives_that_stimulus(script: object, stimulus: object) -> None:
    participant = Scripted(script)
    assert probe_wrapper(participant, bind(participant, STEP), executing(), ManualClock(1000)) == stimulus


@pytest.mark.parametrize(
    ("script", "stimulus"),
    [
        (DONE, ENCODED),
        (StepPending(), None),
        (StepNotExecuted(), NotExecuted()),
        (StepOutcomeUnknown("dark"), StillUnknown("dark")),
        (KeyError("x"), StillUnknown("KeyError: 'x'")),
    ],
)
def test_a_cancellation_that_answers_like_this_gives_that_stimulus(script: object, stimulus: object) -> None:
    participant = Scripted(script)
    assert cancel_wrapper(participant, bind(participant, STEP), executing(), ManualClock(1000)) == stimulus


def test_the_key_is_the_same_for_every_attempt_and_another_one_for_the_undo() -> None:
    participant = Scripted(DONE)
    bound = bind(participant, STEP)
    execute_step_wrapper(participant, bound, executing(), ManualClock(1000))
    probe_wrapper(participant, bound, executing(), ManualClock(1000))
    compensate_wrapper(participant, bound, compensating())
    do, probe, undo = (context.idempotency_key for context in participant.contexts)
    assert do == probe != undo


def test_optional_hooks_are_recognised_by_being_overridden() -> None:
    class Bare(SagaParticipant[int, str, bytes]):
        step = STEP

        def execute_step(self, context: SagaContext, step_input: int) -> StepOutput[str, bytes]:
            return DONE

        def compensate_step(self, context: SagaContext, undo: bytes) -> None:
            """Nothing to do."""

    assert bind(Bare(), STEP).spec.has_probe is False
    assert bind(Bare(), STEP).spec.has_cancel is False
    assert bind(Scripted(None), STEP).spec.has_probe is True
    assert bind(Scripted(None), STEP).spec.has_cancel is True

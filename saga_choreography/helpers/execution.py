"""Calling business code: every way it can end becomes a stimulus for the core, and nothing escapes."""

from collections.abc import Callable
from typing import Final, Generic

from attrs import frozen
from typing_extensions import TypeVar

from saga_choreography.codec import PayloadCodec, payload_codec
from saga_choreography.errors import (
    AmbiguousCompensationError,
    AmbiguousStepError,
    CompensationRequiredError,
    PayloadError,
    RetryableStepError,
    TerminalCompensationError,
    TerminalStepError,
)
from saga_choreography.helpers.ports import Clock
from saga_choreography.protocol.spec import ParticipantSpec
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
from saga_choreography.state import Compensating, Executing, ParticipantState
from saga_choreography.traits.outcomes import ProbeResult, StepNotExecuted, StepOutcomeUnknown, StepOutput, StepPending
from saga_choreography.traits.participant import SagaParticipant, has_hook
from saga_choreography.traits.subscription import Step
from saga_choreography.types import SagaContext, StepInput, context_for

In = TypeVar("In")
Out = TypeVar("Out")
Undo = TypeVar("Undo")


@frozen
class BoundStep(Generic[In, Out, Undo]):
    """A step token with the codecs of its types and the abilities of its participant."""

    token: Step[In, Out, Undo]
    spec: ParticipantSpec
    outputs: PayloadCodec[Out]
    undos: PayloadCodec[Undo]
    output_words: str
    """What the output is called in errors; the same for every call."""
    undo_words: str

    def input_of(self, raw: StepInput) -> In:
        """Decode what the step was triggered with.

        Raises:
            PayloadError: it does not fit the declared classes.
        """
        # The token's `after` is a Source[In], so what it takes is an In.
        value: In = self.token.after.take(dict(raw))  # type: ignore[assignment]  # AnySource.take is untyped by design
        return value

    def show_input(self, raw: StepInput) -> object:
        """The input for an operator's eyes: decoded, or as it is when it does not decode any more."""
        try:
            return self.input_of(raw)
        except PayloadError:
            return raw

    def show(self, codec: PayloadCodec[Out] | PayloadCodec[Undo], raw: bytes) -> object:
        """A stored value for an operator's eyes: decoded, or as it is when it does not decode any more."""
        try:
            return codec.decode(raw, "a stored value")
        except PayloadError:
            return raw

    def encode(self, result: StepOutput[Out, Undo]) -> StepReturned:
        """Encode what the step gave.

        Raises:
            PayloadError: it does not fit the declared classes.
        """
        output = self.outputs.encode(result.output, self.output_words)
        return StepReturned(output, self.undos.encode(result.undo, self.undo_words))


def bind(
    participant: SagaParticipant[In, Out, Undo], token: Step[In, Out, Undo], *, is_observed: bool = True
) -> BoundStep[In, Out, Undo]:
    """Bind a token to the participant that owns it.

    Raises:
        PayloadError: a declared class cannot be encoded or decoded.
    """
    spec = ParticipantSpec(
        step_name=token.name,
        has_probe=has_hook(participant, "probe_step"),
        has_cancel=has_hook(participant, "cancel_step"),
        is_observed=is_observed,
    )
    return BoundStep(
        token,
        spec,
        payload_codec(token.gives),
        payload_codec(token.undo_class()),
        output_words=f"output of step {token.name!r}",
        undo_words=f"undo data of step {token.name!r}",
    )


RAISED: Final = (Exception, SystemExit)
"""What counts as raised by business code. A SystemExit would only end the actor's thread, and Pykka, told of it, would
stop every other actor too."""


def describe(error: BaseException) -> str:
    """One line about an exception, for records and answers."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def execute_step_wrapper(
    participant: SagaParticipant[In, Out, Undo],
    bound: BoundStep[In, Out, Undo],
    entry: ParticipantState[Executing],
    clock: Clock,
) -> StepReturned | StepDeferred | StepRaised:
    """Run one attempt of a step. Whatever `execute_step` raises is in the answer; nothing escapes."""
    context = context_for(entry.origin, entry.step_name, entry.state.attempt, "do")
    try:
        step_input = bound.input_of(entry.state.input)
    except PayloadError as error:
        return StepRaised(Raised.NO_EFFECT, describe(error))  # nothing has run
    try:
        return _deferred_or_encoded(bound, participant.execute_step(context, step_input), clock)
    except (TerminalStepError, CompensationRequiredError) as error:
        return StepRaised(Raised.NO_EFFECT, describe(error))
    except RetryableStepError as error:
        return StepRaised(Raised.RETRYABLE, describe(error))
    except AmbiguousStepError as error:
        return StepRaised(Raised.AMBIGUOUS, describe(error))
    except RAISED as error:
        return StepRaised(Raised.UNEXPECTED, describe(error))


def compensate_wrapper(
    participant: SagaParticipant[In, Out, Undo],
    bound: BoundStep[In, Out, Undo],
    entry: ParticipantState[Compensating],
) -> CompensationReturned | CompensationRaised:
    """Run one attempt of an undo. Whatever `compensate_step` raises is in the answer; nothing escapes."""
    context = context_for(entry.origin, entry.step_name, entry.state.attempt, "undo")
    try:
        undo = bound.undos.decode(entry.state.undo, bound.undo_words)
    except PayloadError as error:
        return CompensationRaised(False, describe(error))
    try:
        participant.compensate_step(context, undo)
    except (AmbiguousCompensationError, TerminalCompensationError) as error:
        return CompensationRaised(False, describe(error))
    except RAISED as error:
        return CompensationRaised(True, describe(error))
    return CompensationReturned()


def probe_wrapper(
    participant: SagaParticipant[In, Out, Undo],
    bound: BoundStep[In, Out, Undo],
    entry: ParticipantState[Executing],
    clock: Clock,
) -> StepReturned | StepDeferred | NotExecuted | StillUnknown | ProbeRaised:
    """Ask the participant what became of an attempt."""
    try:
        answer = _ask(participant.probe_step, bound, entry)
        return _settled(bound, answer, clock)
    except RAISED as error:
        return ProbeRaised(describe(error))


def cancel_wrapper(
    participant: SagaParticipant[In, Out, Undo],
    bound: BoundStep[In, Out, Undo],
    entry: ParticipantState[Executing],
    clock: Clock,
) -> StepReturned | NotExecuted | StillUnknown | None:
    """Ask the participant to stop a pending step. None: it goes on, and its end is awaited."""
    try:
        settled = _settled(bound, _ask(participant.cancel_step, bound, entry), clock)
    except RAISED as error:
        return StillUnknown(describe(error))
    return None if isinstance(settled, StepDeferred) else settled


def _ask(
    hook: Callable[[SagaContext, In], ProbeResult[Out, Undo]],
    bound: BoundStep[In, Out, Undo],
    entry: ParticipantState[Executing],
) -> ProbeResult[Out, Undo]:
    context = context_for(entry.origin, entry.step_name, entry.state.attempt, "do")
    return hook(context, bound.input_of(entry.state.input))


def _settled(
    bound: BoundStep[In, Out, Undo], answer: ProbeResult[Out, Undo], clock: Clock
) -> StepReturned | StepDeferred | NotExecuted | StillUnknown:
    match answer:
        case StepNotExecuted():
            return NotExecuted()
        case StepOutcomeUnknown(why):
            return StillUnknown(why)
        case _:
            return _deferred_or_encoded(bound, answer, clock)


def _deferred_or_encoded(
    bound: BoundStep[In, Out, Undo], result: StepOutput[Out, Undo] | StepPending, clock: Clock
) -> StepReturned | StepDeferred:
    if isinstance(result, StepPending):
        timeout = result.timeout_millis
        return StepDeferred(None if timeout is None else clock.now_millis() + timeout)
    if not isinstance(result, StepOutput):
        raise PayloadError(f"what step {bound.token.name!r} returned", "StepOutput or StepPending", repr(result)[:200])
    return bound.encode(result)

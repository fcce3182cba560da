"""`SagaParticipant`: the business behaviour of one step. On the actor's thread; may block; idempotent by key."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import NoneType
from typing import Any, Generic, cast

from typing_extensions import TypeVar

from saga_choreography.codec.forms import bindings_of
from saga_choreography.traits.outcomes import ProbeResult, StepOutcomeUnknown, StepOutput, StepPending
from saga_choreography.traits.subscription import Step, StepToken
from saga_choreography.types import SagaContext

In = TypeVar("In")
Out = TypeVar("Out")
Undo = TypeVar("Undo", default=None)


class SagaParticipant(ABC, Generic[In, Out, Undo]):
    """Declare `step` (or `steps`, one per saga type), then implement `execute_step` and `compensate_step`.

    `context.idempotency_key` is the same in every attempt of the step; pass it on to whoever has the effect. The key of
    the compensation is one other.
    """

    step: Step[In, Out, Undo]
    steps: tuple[Step[In, Out, Undo], ...] = ()

    @abstractmethod
    def execute_step(self, context: SagaContext, step_input: In, /) -> StepOutput[Out, Undo] | StepPending:
        """Do it.

        Raises:
            TerminalStepError, CompensationRequiredError: it failed and left no lasting effect.
            RetryableStepError: the same, but try again.
            AmbiguousStepError: nobody knows. Any other exception counts as one after the retries.
        """

    @abstractmethod
    def compensate_step(self, context: SagaContext, undo: Undo, /) -> None:
        """Undo it. Called again after a crash, so an effect that is already undone is a success.

        Raises:
            SafeToRetryCompensationError: try again. So does any unexpected exception.
            AmbiguousCompensationError, TerminalCompensationError: an operator must look.
        """

    def probe_step(self, context: SagaContext, step_input: In, /) -> ProbeResult[Out, Undo]:
        """Optional: find out what became of an attempt whose outcome is unknown. May raise: it is called again."""
        return StepOutcomeUnknown(f"{type(self).__name__} cannot probe")

    def cancel_step(self, context: SagaContext, step_input: In, /) -> ProbeResult[Out, Undo]:
        """Optional: stop a pending step because the saga is being undone. StepPending: it will finish by itself."""
        return StepPending()

    def resume_pending(self, context: SagaContext, step_input: In, /) -> None:
        """Optional: the program was restarted while the step was pending; watch for its end again."""

    def on_saga_completed(self, context: SagaContext, /) -> None:
        """Optional hook, after the outcome is committed here. What it raises is reported and changes nothing."""

    def on_saga_failed(self, context: SagaContext, reason: str, /) -> None:
        """Optional hook, after the outcome is committed here. What it raises is reported and changes nothing."""

    def on_quarantined(self, context: SagaContext, reason: str, /) -> None:
        """Optional hook: the step waits for an operator. What it raises is reported and changes nothing."""


class NothingToUndo:
    """Mixin for `pure` steps: gives them their `compensate_step`."""

    def compensate_step(self, context: SagaContext, undo: None, /) -> None:
        """Nothing was changed outside, so nothing is undone."""


def declared_tokens(participant: object) -> tuple[StepToken, ...]:
    """The tokens a participant (or its class) declares, as `step`, as `steps` or both; each once."""
    candidates = (getattr(participant, "step", None), *getattr(participant, "steps", ()))
    by_identity = {id(token): token for token in candidates if isinstance(token, Step)}  # hashing a token is slow
    return tuple(by_identity.values())


def declared_steps(participant: SagaParticipant[In, Out, Undo]) -> tuple[Step[In, Out, Undo], ...]:
    """The tokens a participant declares, with its types."""
    return cast("tuple[Step[In, Out, Undo], ...]", declared_tokens(participant))


def undo_faults(participant_class: type, token: StepToken) -> Iterator[str]:
    """Where a participant class and its token disagree on undo data, as far as the classes say it at run time."""
    written = next((each for each in map(_written_undo, participant_class.__mro__) if each is not None), None)
    declared: object = token.undo_class()
    if not isinstance(written, type) or not isinstance(declared, type):
        return  # a union, or a variable
    if written in (Any, object) or written is declared:
        return
    name = participant_class.__name__
    if declared is NoneType:
        remedy = f"give the token undo={written.__name__}"
        yield f"step {token.name!r} declares no undo data, but {name} gives {written.__name__}: {remedy}"
    else:
        gives = "none" if written is NoneType else written.__name__
        yield f"step {token.name!r} declares undo data {declared.__name__}, but {name} gives {gives}"


def _written_undo(cls: type) -> object:
    """What a class writes for Undo in its bases; None when it writes nothing."""
    for base in cls.__dict__.get("__orig_bases__", ()):
        written = bindings_of(base).get(Undo)
        if written is not None:
            return written
    return None


def has_hook(participant: SagaParticipant[In, Out, Undo], name: str) -> bool:
    """Whether the participant's class overrides an optional method."""
    return getattr(type(participant), name) is not getattr(SagaParticipant, name)

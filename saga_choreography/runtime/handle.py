"""`SagaHandle`: one saga, seen by whoever started it."""

from typing import Protocol, final

from typing_extensions import TypeVar

from saga_choreography.codec import payload_codec
from saga_choreography.errors import UnknownSaga
from saga_choreography.events import SagaOutcome
from saga_choreography.helpers.watch import SagaWatch, Verdict
from saga_choreography.traits.subscription import Step, StepToken
from saga_choreography.types import SagaId

In = TypeVar("In")
Out = TypeVar("Out")
Undo = TypeVar("Undo")


class SagaReader(Protocol):
    """Where a handle looks things up."""

    def encoded_output(self, saga_id: SagaId, step: StepToken) -> bytes | None:
        """What a step gave, from its participant's journal; None when it gave nothing (yet)."""
        ...


@final
class SagaHandle:
    """Waits for and asks about one saga. Any thread; holds no lock of the engine."""

    def __init__(self, saga_id: SagaId, watch: SagaWatch, reader: SagaReader) -> None:
        self._saga_id = saga_id
        self._watch = watch
        self._reader = reader

    def __repr__(self) -> str:
        return f"SagaHandle({self._saga_id})"

    @property
    def saga_id(self) -> SagaId:
        """Its id, under which `SagaSystem.handle` finds it again, also after a restart."""
        return self._saga_id

    def result(self, timeout: float | None = None) -> Verdict:
        """Wait at most `timeout` seconds (None: for ever) until the saga has ended, or is parked for an operator.

        Raises:
            TimeoutError: neither yet.
        """
        verdict = self._watch.wait(timeout)
        if verdict is None:
            raise TimeoutError(f"saga {self._saga_id} has no outcome after {timeout} s; it goes on")
        return verdict

    def wait_until_ended(self, timeout: float | None = None) -> SagaOutcome:
        """Like `result`, but a saga that is parked is waited for too: an operator may resolve it meanwhile.

        At most `timeout` seconds (None: for ever).

        Raises:
            TimeoutError: the saga has not ended.
        """
        outcome = self._watch.wait_for_end(timeout)
        if outcome is None:
            state = "is parked for an operator" if self._watch.verdict is not None else "goes on"
            raise TimeoutError(f"saga {self._saga_id} has not ended after {timeout} s; it {state}")
        return outcome

    def outcome(self) -> Verdict | None:
        """How the saga stands now: its outcome, SagaQuarantined while it is parked, None while it moves."""
        return self._watch.verdict

    def output_of(self, step: Step[In, Out, Undo]) -> Out:
        """What a completed step gave, as its token says.

        Raises:
            UnknownSaga: the step has no output (yet), or the records are pruned.
            PayloadError: the stored output does not fit the step's class.
        """
        raw = self._reader.encoded_output(self._saga_id, step)
        if raw is None:
            raise UnknownSaga(self._saga_id, f"step {step.name!r} (no output there)")
        return payload_codec(step.gives).decode(raw, f"output of step {step.name!r}")

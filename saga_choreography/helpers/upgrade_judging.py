"""Live sagas under the eyes of today's workflows: what of them would not be resumed, and why.

Every stored value is given to today's classes. What is only evidence by now, such as the input of a step that is done,
makes a note when it does not fit; what will be read again makes a fault.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias, final

from saga_choreography.codec import PayloadCodec, payload_codec
from saga_choreography.errors import PayloadError, WorkflowError
from saga_choreography.helpers.upgrade_findings import UpgradeFault, UpgradeNote
from saga_choreography.helpers.upgrade_plans import always_gives, described, plan_changes
from saga_choreography.protocol.resolver_commands import SagaEntry
from saga_choreography.state import Compensating, Completed, Executing, Quarantined, SagaStateEntry, Triggered, is_in
from saga_choreography.traits.subscription import Step
from saga_choreography.traits.workflow import AnyWorkflow
from saga_choreography.types import SagaId, SagaOrigin, StepInput

AnyStep: TypeAlias = Step[Any, Any, Any]

_NOT_READ: Final = (
    "give new fields a default, say stored_as(..., formerly=...) of a renamed one, write an upcaster for any other"
    " change, or let this saga end under the program that began it"
)
_NOT_DECLARED: Final = "keep it declared, and its actor started, until no such saga is live, or give its workflow too"


@final
class Judge:
    """Hears of every live saga once for each store that has it; remembers what is wrong."""

    def __init__(self, workflows: Iterable[AnyWorkflow]) -> None:
        self._workflows: dict[str, AnyWorkflow] = {}
        for workflow in workflows:
            saga_type = workflow.plan.saga_type
            if self._workflows.setdefault(saga_type, workflow) != workflow:
                raise WorkflowError(saga_type, ["two different workflows of this saga type are given"])
        self._steps: dict[tuple[str, str], AnyStep] = {
            (name, step.name): step
            for name, workflow in self._workflows.items()
            for step in workflow.steps
            if isinstance(step, Step)
        }
        self._faults: dict[tuple[SagaId, str | None, str, str | None], UpgradeFault] = {}
        self._notes: Counter[tuple[str, str]] = Counter()
        self._triggered: set[tuple[SagaId, str]] = set()
        self._sagas: set[SagaId] = set()
        self.values: int = 0

    @property
    def sagas(self) -> int:
        """How many live sagas it has heard of."""
        return len(self._sagas)

    @property
    def faults(self) -> tuple[UpgradeFault, ...]:
        return tuple(self._faults.values())

    @property
    def notes(self) -> tuple[UpgradeNote, ...]:
        return tuple(UpgradeNote(saga_type=kind, why=why, sagas=count) for (kind, why), count in self._notes.items())

    def unreadable(self, store: str, saga_id: SagaId, why: str, remedy: str) -> None:
        """The records of a live saga cannot be read."""
        self._sagas.add(saga_id)
        self._fault(
            UpgradeFault(
                store=store,
                saga_id=saga_id,
                saga_type=None,
                step_name=None,
                what="records",
                why=why,
                remedy=remedy,
            )
        )

    def participant(self, store: str, entry: SagaStateEntry) -> None:
        """A saga that is live in the journal of a participant. All participants come before the initiators."""
        origin, name = entry.origin, entry.step_name
        self._sagas.add(origin.saga_id)
        self._triggered.add((origin.saga_id, name))
        step = self._declared(store, origin, name)
        if step is None:
            return
        if is_in(entry, Triggered) or is_in(entry, Executing):
            self._input(store, origin, step, entry.state.input, needed=True)
        elif is_in(entry, Completed):
            is_going_on = entry.fence is None
            self._input(store, origin, step, entry.state.input, needed=False)
            self._read(store, origin, name, "output", lambda: _output(step, entry.state.output), needed=is_going_on)
            self._read(store, origin, name, "undo data", lambda: _undo(step, entry.state.undo), needed=True)
        elif is_in(entry, Compensating):
            self._input(store, origin, step, entry.state.input, needed=False)
            self._read(store, origin, name, "output", lambda: _output(step, entry.state.output), needed=False)
            self._read(store, origin, name, "undo data", lambda: _undo(step, entry.state.undo), needed=True)
        elif is_in(entry, Quarantined):
            self._quarantined(store, origin, step, entry.state)

    def initiator(self, store: str, entry: SagaEntry) -> None:
        """A saga that is live in the journal of its initiator."""
        origin, saga_type = entry.origin, entry.origin.saga_type
        self._sagas.add(origin.saga_id)
        workflow = self._workflows.get(saga_type)
        if workflow is None:
            self._undeclared_type(store, origin)
            return
        payloads: PayloadCodec[object] = payload_codec(workflow.payload_class())
        is_going_on = entry.fence is None
        self._read(
            store,
            origin,
            None,
            "payload",
            lambda: payloads.decode(entry.payload, "the payload"),
            needed=is_going_on,
        )
        for begun in origin.plan.steps:
            step = self._declared(store, origin, begun.step_name)
            is_to_come = is_going_on and (origin.saga_id, begun.step_name) not in self._triggered
            if step is not None and is_to_come and not always_gives(begun.after, step.after.dependency()):
                why = (
                    f"it began with a plan in which this step waits for {described(begun.after)};"
                    f" today's step takes {described(step.after.dependency())}"
                )
                remedy = "bring the step back as it was, under its name, and give the changed one another name"
                self._fault(self._found(store, origin, begun.step_name, "plan", why, remedy))
        if changes := "; ".join(plan_changes(origin.plan, workflow.plan)):
            self._notes[saga_type, f"they end under the plan they began with ({changes})"] += 1

    def _quarantined(self, store: str, origin: SagaOrigin, step: AnyStep, state: Quarantined) -> None:
        self._input(store, origin, step, state.input, needed=not state.while_compensating)
        if (output := state.output) is not None:
            self._read(store, origin, step.name, "output", lambda: _output(step, output), needed=False)
        if (undo := state.undo) is not None:
            self._read(store, origin, step.name, "undo data", lambda: _undo(step, undo), needed=True)

    def _declared(self, store: str, origin: SagaOrigin, step_name: str) -> AnyStep | None:
        """Today's step of that name, if there is one."""
        if origin.saga_type not in self._workflows:
            self._undeclared_type(store, origin)
            return None
        step = self._steps.get((origin.saga_type, step_name))
        if step is None:
            why = "no workflow given declares this step, which is part of the plan it began with"
            self._fault(self._found(store, origin, step_name, "plan", why, _NOT_DECLARED))
        return step

    def _undeclared_type(self, store: str, origin: SagaOrigin) -> None:
        why = "no workflow given declares this saga type"
        self._fault(self._found(store, origin, None, "plan", why, _NOT_DECLARED))

    def _input(self, store: str, origin: SagaOrigin, step: AnyStep, raw: StepInput, *, needed: bool) -> None:
        self._read(store, origin, step.name, "input", lambda: step.after.take(dict(raw)), needed=needed)

    def _read(
        self,
        store: str,
        origin: SagaOrigin,
        step_name: str | None,
        what: str,
        decode: Callable[[], object],
        *,
        needed: bool,
    ) -> None:
        self.values += 1
        try:
            decode()
        except PayloadError as error:
            why = str(error)
            if needed:
                self._fault(self._found(store, origin, step_name, what, why, _NOT_READ))
            else:
                where = what if step_name is None else f"{what} of step {step_name!r}"
                note = f"the stored {where} is not read any more, and could not be: {why}"
                self._notes[origin.saga_type, note] += 1

    def _found(
        self, store: str, origin: SagaOrigin, step_name: str | None, what: str, why: str, remedy: str
    ) -> UpgradeFault:
        return UpgradeFault(
            store=store,
            saga_id=origin.saga_id,
            saga_type=origin.saga_type,
            step_name=step_name,
            what=what,
            why=why,
            remedy=remedy,
        )

    def _fault(self, fault: UpgradeFault) -> None:
        """Several stores may have the same to say of a plan; the first one is heard."""
        where = None if fault.what == "plan" else fault.store
        self._faults.setdefault((fault.saga_id, fault.step_name, fault.what, where), fault)


def _output(step: AnyStep, raw: bytes) -> object:
    return payload_codec(step.gives).decode(raw, "the output")


def _undo(step: AnyStep, raw: bytes) -> object:
    return payload_codec(step.undo_class()).decode(raw, "the undo data")

"""The check: ledger, journals, handles and acknowledgements tell one story, and it is a right one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import final

from attrs import frozen

from saga_choreography import SagaCompleted, SagaFailed, SagaId
from saga_choreography.events import (
    CompensationExecutionCompleted,
    CompensationExecutionStarted,
    OutcomeKind,
    ParticipantEvent,
    QuarantineResolved,
    ResolutionKind,
    SagaEnded,
    StepExecutionCompleted,
    StepExecutionFailed,
    StepExecutionStarted,
)
from saga_choreography.protocol.dependencies import sources
from saga_choreography.types import SagaPlan
from tests.crash.evidence import SagaStory, StepRecords
from tests.crash.ledger_lines import Line, What

NAMES = {OutcomeKind.COMPLETED: SagaCompleted.__name__, OutcomeKind.FAILED: SagaFailed.__name__}
DOING = frozenset({What.DO, What.SUBMIT})


@final
@frozen
class Violation:
    """A broken guarantee. `kind` is one word for the figures."""

    kind: str
    saga_id: SagaId | None
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: saga {self.saga_id}: {self.what}"


def check_story(story: SagaStory) -> list[Violation]:
    """Every broken guarantee of one saga; empty when all is well."""
    return [Violation(kind, story.saga_id, what) for kind, what in _story(story)]


def check_whole(lines: Sequence[Line], live: Sequence[tuple[str, SagaId]]) -> list[Violation]:
    """What no story of a single saga shows."""
    found = [Violation("live", saga_id, f"still live in {store}") for store, saga_id in live]
    found += [Violation("notice", None, line.note) for line in lines if line.what is What.NOTICE]
    return [*found, *_shared_keys(lines)]


def _shared_keys(lines: Sequence[Line]) -> Iterator[Violation]:
    """A key belongs to one step of one saga, in one direction."""
    owners: dict[str, set[tuple[int, str, bool]]] = defaultdict(set)
    for line in lines:
        if line.key:
            owners[line.key].add((line.saga, line.step, line.what is What.UNDO))
    for key, users in owners.items():
        if len(users) > 1:
            yield Violation("second key", None, f"{key} is used by {sorted(users)}")


def _story(story: SagaStory) -> Iterator[tuple[str, str]]:
    for _, line in story.lines:
        if line.what is What.VIOLATION:
            yield "do after undo", f"{line.step}: {line.note}"
    plan = story.plan
    if plan is None:
        yield "lost", "no initiator has a record of it"
        return
    if len(story.initiators) != 1 or len(story.outcomes) != 1:
        kind = "lost" if not story.outcomes else "two outcomes"
        yield kind, f"accepted {len(story.initiators)} times, outcomes: {[kind.value for kind in story.outcomes]}"
        return
    outcome = story.outcomes[0]
    if story.acknowledged and story.told != NAMES[outcome]:
        yield "two outcomes", f"its journal says {outcome.value}, its handle {story.told}"
    for step in plan.steps:
        lines = [(number, line) for number, line in story.lines if line.step == step.step_name]
        yield from _keys(step.step_name, lines)
        yield from _effects(step.step_name, lines, outcome, pure=step.pure)
        yield from _records(story, step.step_name, lines, outcome)
    yield from _order(story, plan)


def _keys(step: str, lines: list[tuple[int, Line]]) -> Iterator[tuple[str, str]]:
    """One key to do it, one other to undo it, whatever the attempt."""
    for wanted in (DOING, frozenset({What.UNDO})):
        keys = {line.key for _, line in lines if line.what in wanted}
        if len(keys) > 1:
            yield "second key", f"{step}: {sorted(keys)}"


def _effects(
    step: str, lines: list[tuple[int, Line]], outcome: OutcomeKind, *, pure: bool
) -> Iterator[tuple[str, str]]:
    done = [number for number, line in lines if line.what is What.DO and line.effect]
    undone = [number for number, line in lines if line.what is What.UNDO and line.effect]
    first_undo = min((number for number, line in lines if line.what is What.UNDO), default=None)
    if len(done) > 1:
        yield "second key", f"{step}: {len(done)} effects"
    if outcome is OutcomeKind.COMPLETED:
        if not done and not pure:
            yield "lost", f"{step}: the saga completed, and it never happened"
        if first_undo is not None:
            yield "lost", f"{step}: the saga completed, and it was undone"
    elif len(done) > len(undone):
        yield "leaked", f"{step}: the saga failed, and its effect is left"
    if first_undo is not None and any(number > first_undo for number, line in lines if line.what in DOING):
        yield "do after undo", f"{step}: attempted after it was undone"


def _records(
    story: SagaStory, step: str, lines: list[tuple[int, Line]], outcome: OutcomeKind
) -> Iterator[tuple[str, str]]:
    """The participant's journal agrees with the initiator's and with the ledger."""
    stores = story.steps.get(step, [])
    if len(stores) > 1:
        yield "disagree", f"{step}: records in {len(stores)} stores"
    if not stores:
        if lines or outcome is OutcomeKind.COMPLETED:
            yield "disagree", f"{step}: no participant has a record of it"
        return
    events = [record.event for record in stores[0]]
    ends = [event.outcome for event in events if isinstance(event, SagaEnded)]
    if ends != [outcome] or not isinstance(events[-1], SagaEnded):
        yield "disagree", f"{step}: the outcome is {outcome.value}, its participant heard {[end.value for end in ends]}"
    plan = story.plan
    declared = plan.step(step) if plan is not None else None
    done = any(line.what is What.DO and line.effect for _, line in lines)
    undone = any(line.what is What.UNDO and line.effect for _, line in lines)
    if declared is not None and not declared.pure:
        if any(isinstance(event, StepExecutionCompleted) for event in events) and not done:
            yield "disagree", f"{step}: journaled as completed, and it never happened"
        if any(isinstance(event, CompensationExecutionCompleted) for event in events) and not undone:
            yield "disagree", f"{step}: journaled as undone, and it was not"
        if any(isinstance(event, StepExecutionFailed) for event in events) and done:
            yield "disagree", f"{step}: journaled as without effect, and it happened"
    yield from _attempts(step, lines, stores[0])


def _attempts(step: str, lines: list[tuple[int, Line]], records: StepRecords) -> Iterator[tuple[str, str]]:
    """An attempt is journaled before it is made."""
    for wanted, kind in ((DOING, StepExecutionStarted), (frozenset({What.UNDO}), CompensationExecutionStarted)):
        begun = _begun(records, kind)
        made = {line.attempt for _, line in lines if line.what in wanted and line.note != "by hand"}
        if made - begun:
            yield "disagree", f"{step}: attempts {sorted(made - begun)} were made and never journaled"


def _begun(records: StepRecords, kind: type[StepExecutionStarted] | type[CompensationExecutionStarted]) -> set[int]:
    """Numbers of the attempts in a journal; an operator's "retry" is one too, of whichever direction was parked."""
    begun: set[int] = set()
    last: dict[type[ParticipantEvent], int] = {}
    direction: type[ParticipantEvent] = StepExecutionStarted
    for record in records:
        event = record.event
        if isinstance(event, StepExecutionStarted | CompensationExecutionStarted):
            direction, last[type(event)] = type(event), event.attempt
        elif isinstance(event, QuarantineResolved) and event.resolution is ResolutionKind.RETRY:
            last[direction] = last.get(direction, 0) + 1
        else:
            continue
        if direction is kind:
            begun.add(last[kind])
    return begun


def _order(story: SagaStory, plan: SagaPlan) -> Iterator[tuple[str, str]]:
    """A step is undone only after every step that depends on it has been at work for the last time."""
    for step in plan.steps:
        first_undo = min(
            (number for number, line in story.lines if line.step == step.step_name and line.what is What.UNDO),
            default=None,
        )
        if first_undo is None:
            continue
        for dependent in sorted(_dependents(plan, step.step_name)):
            late = [number for number, line in story.lines if line.step == dependent and number > first_undo]
            if late:
                yield "order", f"{step.step_name} was undone before {dependent} was done with (ledger line {late[0]})"


def _dependents(plan: SagaPlan, name: str) -> set[str]:
    """Who waits for a step, also by way of pure steps."""
    direct = {step for step in plan.steps if name in sources(step.after)}
    through = [_dependents(plan, step.step_name) for step in direct if step.pure]
    return {step.step_name for step in direct if not step.pure}.union(*through)

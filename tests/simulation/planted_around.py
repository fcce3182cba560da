"""Planted faults around the participant's core: in its shell, in the plan, in the initiator."""

from collections.abc import Mapping, Sequence

import pytest
from attrs import evolve

from saga_choreography.events import StepEvent
from saga_choreography.protocol import resolver, workflow
from saga_choreography.protocol.resolver_commands import (
    SETTLED,
    Resolution,
    ResolverStimulus,
    SagaMemory,
    StepFact,
    StepStatus,
)
from saga_choreography.types import (
    Direction,
    IdempotencyKey,
    SagaContext,
    SagaOrigin,
    StepPlan,
    context_for,
)
from tests.simulation import initiator, participant
from tests.simulation.node import Node
from tests.simulation.planting import Plant, ignore


def outcome_decided_twice(patch: pytest.MonkeyPatch) -> None:
    def resolve(memory: SagaMemory, stimulus: ResolverStimulus, now_millis: int) -> Resolution:
        entry = memory.entry
        if entry.outcome is not None and isinstance(stimulus, StepEvent):
            turn = resolver._Turn(evolve(memory, entry=evolve(entry, outcome=None)), now_millis)
            turn._end(entry.outcome)
            return turn.resolution()
        return resolver.resolve(memory, stimulus, now_millis)

    patch.setattr(initiator, "resolve", resolve)


def late_fact_not_answered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolver._Turn, "answer_late", ignore)


def outcome_before_quarantine_is_resolved(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolver, "SETTLED", SETTLED | {StepStatus.QUARANTINED})


def quarantine_not_announced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolver._Turn, "_park", ignore)


def older_facts_replace_newer_ones(patch: pytest.MonkeyPatch) -> None:
    count = [0]
    fact = resolver._fact

    def newest(event: StepEvent) -> StepFact | None:
        count[0] += 1
        heard = fact(event)
        return heard and StepFact(heard.status, count[0], heard.reason)

    patch.setattr(resolver, "_fact", newest)


def mark_not_written(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(participant.Participant, "mark", ignore)


def told_before_commit(patch: pytest.MonkeyPatch) -> None:
    def commit(node: Node) -> None:  # type: ignore[type-arg]  # any node
        node.tell()
        node.write()

    patch.setattr(Node, "commit", commit)


def facts_not_told_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(participant, "fact_of", ignore)


def peers_tell_nothing_to_who_joins(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(participant.Participant, "_tell_facts", ignore)


def outcome_forgotten_before_its_commit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(initiator.Initiator, "is_ending", lambda *_: False)


def key_changes_on_retry(patch: pytest.MonkeyPatch) -> None:
    def fresh(origin: SagaOrigin, step_name: str, attempt: int, direction: Direction) -> SagaContext:
        context = context_for(origin, step_name, attempt, direction)
        return evolve(context, idempotency_key=IdempotencyKey(f"{context.idempotency_key}-{attempt}"))

    patch.setattr(participant, "context_for", fresh)


def undo_order_blind_behind_pure_steps(patch: pytest.MonkeyPatch) -> None:
    def link(steps: Sequence[StepPlan]) -> tuple[StepPlan, ...]:
        linked = workflow.link(steps)
        return tuple(
            evolve(
                step,
                undo_after=step.dependents,
                tells_settled=tuple(other.step_name for other in linked if step.step_name in other.dependents),
            )
            for step in linked
        )

    patch.setattr("tests.simulation.workflows.link", link)


AROUND: Mapping[str, Plant] = {
    plant.__name__: plant
    for plant in (
        outcome_decided_twice,
        late_fact_not_answered,
        outcome_before_quarantine_is_resolved,
        quarantine_not_announced,
        older_facts_replace_newer_ones,
        mark_not_written,
        told_before_commit,
        facts_not_told_again,
        peers_tell_nothing_to_who_joins,
        outcome_forgotten_before_its_commit,
        key_changes_on_retry,
        undo_order_blind_behind_pure_steps,
    )
}

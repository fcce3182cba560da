"""Planted faults around the participant's core: in the engines, in the stores, in the plan, in the resolver."""

from collections.abc import Mapping, Sequence

import pytest
from attrs import evolve

from saga_choreography.errors import StoreFull
from saga_choreography.events import SagaChoreographyEvent, StepEvent
from saga_choreography.helpers import execution, initiating, participant
from saga_choreography.helpers.engine import Engine
from saga_choreography.helpers.initiating import InitiatorEngine
from saga_choreography.helpers.met import Met
from saga_choreography.helpers.participant import ParticipantEngine
from saga_choreography.helpers.signals import StartRequest
from saga_choreography.protocol import resolver, workflow
from saga_choreography.protocol.resolver_commands import (
    SETTLED,
    Resolution,
    ResolverStimulus,
    SagaMemory,
    StepFact,
    StepStatus,
)
from saga_choreography.storage.staged_dedupe import StagedDedupe
from saga_choreography.storage.staged_journal import StagedJournal
from saga_choreography.traits import workflow as declared
from saga_choreography.types import (
    Direction,
    IdempotencyKey,
    SagaContext,
    SagaOrigin,
    StepPlan,
    context_for,
)
from tests.simulation.planting import Plant, ignore


def outcome_decided_twice(patch: pytest.MonkeyPatch) -> None:
    def resolve(memory: SagaMemory, stimulus: ResolverStimulus, now_millis: int) -> Resolution:
        entry = memory.entry
        if entry.outcome is not None and isinstance(stimulus, StepEvent):
            turn = resolver._Turn(evolve(memory, entry=evolve(entry, outcome=None)), now_millis)
            turn._end(entry.outcome)
            return turn.resolution()
        return resolver.resolve(memory, stimulus, now_millis)

    patch.setattr(initiating, "resolve", resolve)


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
    patch.setattr(StagedDedupe, "check_and_mark", lambda *_: True)


def marked_before_the_work_is_journaled(patch: pytest.MonkeyPatch) -> None:
    """The mark is committed as soon as a saga is heard of, in a transaction of its own."""
    hear = ParticipantEngine._hear

    def hasty(
        engine: ParticipantEngine[object, object, object],
        event: SagaChoreographyEvent,
        now_millis: int,
        *,
        may_run: bool = False,
    ) -> None:
        hear(engine, event, now_millis, may_run=may_run)
        bound = engine._steps.get(event.saga_type)
        if bound is not None:
            with engine.transaction():
                engine._state.saga_dedupe.check_and_mark(event.saga_id, bound.token.name, now_millis)

    patch.setattr(ParticipantEngine, "_hear", hasty)


def told_before_commit(patch: pytest.MonkeyPatch) -> None:
    commit = Engine.commit

    def hasty(engine: Engine) -> None:
        outbox, engine._outbox = engine._outbox, []
        if outbox:
            engine.surroundings.publish(outbox)
        commit(engine)

    patch.setattr(Engine, "commit", hasty)


def acknowledged_before_commit(patch: pytest.MonkeyPatch) -> None:
    start = InitiatorEngine._start

    def hasty(engine: InitiatorEngine, request: StartRequest, now_millis: int) -> None:
        start(engine, request, now_millis)
        if not request.reply.done():
            request.reply.set_result(None)

    patch.setattr(InitiatorEngine, "_start", hasty)
    patch.setattr(initiating, "_reply", ignore)


def attempt_not_committed_before_it_runs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(participant, "must_be_committed_first", lambda *_: False)


def full_disk_forgets_what_was_staged(patch: pytest.MonkeyPatch) -> None:
    write = Engine._write_when_there_is_room

    def careless(engine: Engine) -> None:
        try:
            with engine.transaction():
                engine.write()
        except StoreFull:
            return

    assert write is not careless
    patch.setattr(Engine, "_write_when_there_is_room", careless)


def hook_not_isolated(patch: pytest.MonkeyPatch) -> None:
    def bare(_: Engine, __: str, call: "type[object]") -> bool:
        call()
        return True

    patch.setattr(Engine, "isolate", bare)


def who_waits_is_not_informed_after_a_restart(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(InitiatorEngine, "_inform_who_waits", ignore)


def facts_not_told_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(participant, "fact_of", ignore)


def peers_tell_nothing_to_who_joins(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ParticipantEngine, "_tell_facts", ignore)


def outcome_forgotten_before_its_commit(patch: pytest.MonkeyPatch) -> None:
    hear = InitiatorEngine._hear_of_unknown

    def forgetful(engine: InitiatorEngine, event: StepEvent, now_millis: int) -> None:
        ends, engine._ends = engine._ends, {}
        hear(engine, event, now_millis)
        engine._ends = ends

    patch.setattr(InitiatorEngine, "_hear_of_unknown", forgetful)


def tombstone_not_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StagedJournal, "tombstone", ignore)


def ended_sagas_taken_for_new(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Met, "forget", ignore)


def known_sagas_taken_for_new_after_a_restart(patch: pytest.MonkeyPatch) -> None:
    def always(_: Met, birth: int) -> bool:
        return birth > 0

    patch.setattr(Met, "is_new", always)


def repeated_start_taken_for_new(patch: pytest.MonkeyPatch) -> None:
    right = InitiatorEngine._start

    def careless(engine: InitiatorEngine, request: StartRequest, now_millis: int) -> None:
        right(engine, evolve(request, birth=1), now_millis)

    patch.setattr(InitiatorEngine, "_start", careless)


def key_changes_on_retry(patch: pytest.MonkeyPatch) -> None:
    def fresh(origin: SagaOrigin, step_name: str, attempt: int, direction: Direction) -> SagaContext:
        context = context_for(origin, step_name, attempt, direction)
        return evolve(context, idempotency_key=IdempotencyKey(f"{context.idempotency_key}-{attempt}"))

    patch.setattr(execution, "context_for", fresh)


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

    patch.setattr(declared, "link", link)


AROUND: Mapping[str, Plant] = {
    plant.__name__: plant
    for plant in (
        outcome_decided_twice,
        late_fact_not_answered,
        outcome_before_quarantine_is_resolved,
        quarantine_not_announced,
        older_facts_replace_newer_ones,
        mark_not_written,
        marked_before_the_work_is_journaled,
        told_before_commit,
        acknowledged_before_commit,
        attempt_not_committed_before_it_runs,
        full_disk_forgets_what_was_staged,
        hook_not_isolated,
        who_waits_is_not_informed_after_a_restart,
        facts_not_told_again,
        peers_tell_nothing_to_who_joins,
        outcome_forgotten_before_its_commit,
        tombstone_not_kept,
        ended_sagas_taken_for_new,
        known_sagas_taken_for_new_after_a_restart,
        repeated_start_taken_for_new,
        key_changes_on_retry,
        undo_order_blind_behind_pure_steps,
    )
}

"""The table, the signatures and the run-time guard say the same."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import get_args, get_type_hints

import pytest

from saga_choreography.errors import IllegalTransition
from saga_choreography.state import (
    Compensated,
    Compensating,
    Completed,
    Executing,
    ExecutionPhase,
    Failed,
    Idle,
    ParticipantState,
    Quarantined,
    SagaStateEntry,
    StepState,
    Triggered,
    is_in,
    transitions,
)
from saga_choreography.state.transitions import LEGAL, TRANSITIONS
from saga_choreography.types import FailureCause, FailureKind

Entries = Mapping[type[StepState], SagaStateEntry]
Transition = Callable[..., ParticipantState[StepState]]

KINDS: tuple[type[StepState], ...] = get_args(StepState)
ARGUMENTS: Mapping[str, tuple[tuple[object, ...], Mapping[str, object]]] = {
    "trigger": (((("@start", b"in"),), 9), {}),
    "start_execution": ((2, 9), {"doubtful": True}),
    "note_attempt_failed": (("why", None, 9), {"doubtful": True}),
    "suspend": ((None, 9), {}),
    "complete": ((b"out", b"undo", 9), {}),
    "fail": (("why", 9), {}),
    "start_compensation": ((9,), {}),
    "restart_compensation": ((2, 9), {}),
    "note_compensation_failed": (("why", 20, 9), {}),
    "complete_compensation": ((9,), {}),
    "quarantine": (("reason", "why", 9), {}),
}
CAUSE = FailureCause(kind=FailureKind.CANCELLED, reason="enough")


def sources_of(function: Transition) -> frozenset[type[object]]:
    """What the annotation of a transition's entry admits, each member of a union by itself."""
    (state,) = get_args(get_type_hints(function)["entry"])
    return frozenset(get_args(state) or (state,))


def target_of(function: Transition) -> type[object]:
    (state,) = get_args(get_type_hints(function)["return"])
    assert isinstance(state, type)
    return state


def admitted() -> list[tuple[Transition, type[StepState]]]:
    return [(function, kind) for function in TRANSITIONS for kind in KINDS if kind in sources_of(function)]


def call(function: Transition, entry: SagaStateEntry) -> ParticipantState[StepState]:
    positional, named = ARGUMENTS[function.__name__]
    return function(entry, *positional, **named)


def name_of(value: object) -> str:
    return getattr(value, "__name__", str(value))


def test_the_table_says_what_the_signatures_say() -> None:
    signed: dict[type[object], set[type[object]]] = {kind: set() for kind in KINDS}
    for function in TRANSITIONS:
        for source in sources_of(function):
            signed[source].add(target_of(function))
    assert signed == {source: set(targets) for source, targets in LEGAL.items()}


def test_every_state_has_a_row_and_every_transition_a_test() -> None:
    assert set(LEGAL) == set(KINDS)
    assert {name_of(function) for function in TRANSITIONS} == set(ARGUMENTS)


def test_every_state_can_be_reached_from_idle() -> None:
    reached: set[type[StepState]] = {Idle}
    while fresh := {target for source in reached for target in LEGAL[source]} - reached:
        reached |= fresh
    assert reached == set(KINDS)


@pytest.mark.parametrize(("function", "kind"), admitted(), ids=name_of)
def test_a_transition_moves_what_its_signature_admits_to_what_it_promises(
    function: Transition, kind: type[StepState], entries: Entries
) -> None:
    entry = entries[kind]
    before = repr(entry)
    moved = call(function, entry)
    assert type(moved.state) is target_of(function)
    assert (moved.origin, moved.step_name) == (entry.origin, entry.step_name)
    assert (moved.sequence, moved.updated_at_millis) == (entry.sequence + 1, 9)
    assert repr(entry) == before


def test_a_transition_refuses_every_state_its_signature_does_not_admit(entries: Entries) -> None:
    offenders: list[str] = []
    for function in TRANSITIONS:
        for kind in frozenset(KINDS) - sources_of(function):
            try:
                call(function, entries[kind])
            except IllegalTransition:
                continue
            except AttributeError as error:
                offenders.append(f"{name_of(function)} of {kind.__name__}: {error}")
            else:
                offenders.append(f"{name_of(function)} of {kind.__name__}: passed")
    assert offenders == []


@pytest.mark.parametrize(
    ("source", "target"), [pair for pair in product(KINDS, KINDS) if pair[1] not in LEGAL[pair[0]]], ids=name_of
)
def test_every_illegal_pair_raises_and_changes_nothing(
    source: type[StepState], target: type[StepState], entries: Entries
) -> None:
    entry = entries[source]
    before = repr(entry)
    with pytest.raises(IllegalTransition) as caught:
        transitions._move(entry, entries[target].state, 9)
    assert repr(entry) == before
    assert (caught.value.source, caught.value.target) == (source.__name__, target.__name__)
    assert caught.value.legal == tuple(sorted(kind.__name__ for kind in LEGAL[source]))


@pytest.mark.parametrize(("source", "target"), [(s, t) for s, to in LEGAL.items() for t in to], ids=name_of)
def test_every_legal_pair_passes_the_guard(source: type[StepState], target: type[StepState], entries: Entries) -> None:
    moved = transitions._move(entries[source], entries[target].state, 9)
    assert moved.state == entries[target].state


def test_an_illegal_transition_says_what_would_have_been_legal() -> None:
    assert str(IllegalTransition("Idle", "Failed", ("Triggered",))) == (
        "cannot go from Idle to Failed; legal: Triggered"
    )
    assert str(IllegalTransition("Failed", "Idle", ())).endswith("nothing (terminal)")


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_the_fence_is_a_mark_beside_any_state(kind: type[StepState], entries: Entries) -> None:
    entry = entries[kind]
    fenced = transitions.remember_fence(entry, CAUSE, 9)
    assert fenced.state == entry.state
    assert (fenced.fence, fenced.sequence, fenced.updated_at_millis) == (CAUSE, entry.sequence + 1, 9)
    assert entry.fence is None


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_the_end_of_the_saga_leaves_the_state_as_it_is(kind: type[StepState], entries: Entries) -> None:
    ended = transitions.note_ended(entries[kind], 9)
    assert ended.state == entries[kind].state
    assert ended.sequence == entries[kind].sequence + 1


@pytest.mark.parametrize("function", [f for f in TRANSITIONS if f is not transitions.trigger], ids=name_of)
def test_a_fence_outlives_every_move(function: Transition, entries: Entries) -> None:
    for kind in KINDS:
        if kind in sources_of(function):
            assert call(function, transitions.remember_fence(entries[kind], CAUSE, 8)).fence == CAUSE


def test_a_step_parked_in_doubt_cannot_be_undone_for_there_is_no_undo_data(entries: Entries) -> None:
    executing = entries[Executing]
    assert is_in(executing, Executing)
    parked = transitions.quarantine(executing, "unknown", None, 9)
    assert not parked.state.while_compensating
    with pytest.raises(IllegalTransition, match="in doubt"):
        transitions.restart_compensation(parked, 2, 10)


def test_quarantine_keeps_all_evidence(entries: Entries) -> None:
    parked = entries[Quarantined].state
    assert isinstance(parked, Quarantined)
    assert parked.while_compensating
    assert (parked.input, parked.output, parked.undo) == ((("@start", b"in"),), b"out", b"undo")
    assert (parked.attempts, parked.error, parked.reason) == (1, "why", "stuck")


def test_quarantine_without_an_error_of_its_own_keeps_the_last_one(entries: Entries) -> None:
    executing = entries[Executing]
    assert is_in(executing, Executing)
    doubtful = transitions.note_attempt_failed(executing, "cut off", None, 8, doubtful=True)
    assert transitions.quarantine(doubtful, "unknown", None, 9).state.error == "cut off"


def test_a_failed_attempt_waits_for_its_retry_or_is_in_doubt(entries: Entries) -> None:
    executing = entries[Executing]
    assert is_in(executing, Executing)
    later = transitions.note_attempt_failed(executing, "busy", 50, 9, doubtful=False).state
    assert (later.phase, later.retry_at_millis, later.doubtful) == (ExecutionPhase.RETRYING, 50, False)
    doubt = transitions.note_attempt_failed(executing, "cut", None, 9, doubtful=True).state
    assert (doubt.phase, doubt.retry_at_millis, doubt.doubtful) == (ExecutionPhase.IN_DOUBT, None, True)


def test_a_suspension_keeps_attempt_and_doubt(entries: Entries) -> None:
    triggered = entries[Triggered]
    assert is_in(triggered, Triggered)
    second = transitions.start_execution(transitions.start_execution(triggered, 1, 3), 2, 4, doubtful=True)
    pending = transitions.suspend(second, 99, 5).state
    assert (pending.phase, pending.attempt, pending.doubtful) == (ExecutionPhase.PENDING, 2, True)
    assert pending.pending_until_millis == 99


def test_terminal_states_have_no_way_out() -> None:
    assert {kind for kind, targets in LEGAL.items() if not targets} == {Failed, Compensated}
    assert LEGAL[Completed] == {Compensating}


def test_is_in_tells_each_state_from_every_other(entries: Entries) -> None:
    for kind, entry in entries.items():
        told: list[bool] = [is_in(entry, other) for other in KINDS]
        assert told == [other is kind for other in KINDS]

"""Whatever stands in the tables: one saga's rows are read or refused by name, and no other saga is harmed."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography.errors import IllegalTransition, StoreDamaged, StoreVersionError
from saga_choreography.events import OutcomeKind, ParticipantEvent, TimestampedEvent
from saga_choreography.helpers.recovery import replay
from saga_choreography.storage import (
    PARTICIPANT,
    Durability,
    InMemoryDedupe,
    InMemoryEnvironment,
    InMemoryJournal,
    LmdbEnvironment,
    LmdbJournal,
)
from saga_choreography.storage.layout import PLANS, SEQUENCE, EndedRow, decode_ended, mark_key, time_key
from saga_choreography.storage.staging import StagedEnvironment
from saga_choreography.types import SagaId
from tests.codec.strategies import SAGA
from tests.fuzz.budget import examples
from tests.fuzz.mutations import mutated, resealed
from tests.fuzz.refusals import must_name
from tests.storage.samples import GONE, finish, initiator_events, participant_events, started, write

OTHER = SagaId(UUID(int=0x0FED))
FOREVER = 10**15
ROWS = st.binary(max_size=60)
ENDED = st.builds(
    EndedRow,
    pruned=st.booleans(),
    at_millis=st.integers(0, 2**64 - 1),
    last=st.integers(0, 2**32 - 1),
    outcome=st.sampled_from(OutcomeKind),
    digest=st.binary(max_size=20),
)


def put(environment: StagedEnvironment, table: str, key: bytes, value: bytes | None) -> None:
    """Write a row as no journal would."""
    with environment.transaction():
        environment.open_stage().writes[table][key] = value


def read_or_refused(call: Callable[[], object], *words: str) -> None:
    """Call; only what says that records are unreadable may come: it names the store, the saga and the remedy."""
    try:
        call()
    except (StoreDamaged, StoreVersionError) as error:
        must_name(error, *words)


def two_sagas() -> tuple[InMemoryEnvironment, InMemoryJournal[ParticipantEvent]]:
    environment = InMemoryEnvironment("the store")
    journal = InMemoryJournal.participant(environment)
    write(journal, SAGA, 1, 3)
    write(journal, OTHER, 1, 3)
    return environment, journal


@examples(60)
@given(row=ENDED)
def test_how_a_saga_ended_comes_back(row: EndedRow) -> None:
    raw = row.encode(SAGA.bytes)
    assert decode_ended(SAGA.bytes, raw) == row
    assert decode_ended(SAGA.bytes, raw).encode(SAGA.bytes) == raw


@examples(100)
@given(row=ENDED, other=ENDED, data=st.data())
def test_how_a_saga_ended_is_read_or_refused(row: EndedRow, other: EndedRow, data: st.DataObject) -> None:
    good = row.encode(SAGA.bytes)
    raw = data.draw(mutated(good, other.encode(SAGA.bytes)) | ROWS | st.just(other.encode(OTHER.bytes)))
    try:
        found = decode_ended(SAGA.bytes, raw)
    except ValueError:
        return  # the journal makes a StoreDamaged of it: see below
    assert found.encode(SAGA.bytes) == raw


@examples(60)
@given(key=st.text(st.characters(), max_size=600))
def test_any_key_can_be_marked_once(key: str) -> None:
    environment = InMemoryEnvironment("the store")
    marks = InMemoryDedupe(environment)
    for expected in (True, False):
        with environment.transaction():
            assert marks.check_and_mark(SAGA, key, 5) is expected
    assert marks.seen(SAGA, key)
    assert not marks.seen(OTHER, key)
    assert len(mark_key(SAGA.bytes, key)) <= 511, "the longest key LMDB takes"


@examples(80)
@given(
    table=st.sampled_from(
        [PARTICIPANT.records, PARTICIPANT.live, PARTICIPANT.ended, PARTICIPANT.finished, PARTICIPANT.tombstones]
    ),
    tail=st.sampled_from([b"", SEQUENCE.pack(1), SEQUENCE.pack(2), SEQUENCE.pack(9)]) | st.binary(max_size=6),
    value=ROWS | st.sampled_from([b"", SEQUENCE.pack(0), SEQUENCE.pack(2), SEQUENCE.pack(2**32 - 1)]),
)
def test_a_foreign_row_of_one_saga_harms_no_other(table: str, tail: bytes, value: bytes) -> None:
    environment, journal = two_sagas()
    good = journal.read(OTHER)
    put(environment, table, SAGA.bytes + tail, value)
    read_or_refused(lambda: journal.read(SAGA), "the store", str(SAGA))
    read_or_refused(lambda: journal.tombstone(SAGA), "the store", str(SAGA))
    read_or_refused(lambda: list(journal.live_sagas()), "the store", "live index")
    finish(journal, OTHER, 5)
    read_or_refused(lambda: journal.prune(FOREVER, 10), "the store")
    assert journal.tombstone(OTHER) == GONE
    read_or_refused(lambda: journal.prune_tombstones(FOREVER, 10), "the store")
    assert journal.tombstone(OTHER) is None
    assert len(good) == 3


@examples(80)
@given(at=st.integers(1, 13), event=st.integers(0, 12), data=st.data())
def test_a_changed_record_ends_in_a_replay_or_in_a_refusal(at: int, event: int, data: st.DataObject) -> None:
    environment = InMemoryEnvironment("the store")
    journal = InMemoryJournal.participant(environment)
    events = participant_events(SAGA)
    with journal.transaction():
        for sequence, one in enumerate(events, 1):
            journal.append(SAGA, TimestampedEvent(sequence, sequence, one))
    rows = environment.rows(PARTICIPANT.records, SAGA.bytes, SAGA.bytes + b"\xff" * 8)
    foreign = rows[event][1]
    value = resealed(SAGA, at, data.draw(mutated(rows[at - 1][1], foreign)))
    put(environment, PARTICIPANT.records, rows[at - 1][0], value)
    read_or_refused(lambda: journal.read(SAGA), "the store", str(SAGA))
    try:
        replay(journal, SAGA)
    except (StoreDamaged, StoreVersionError, IllegalTransition):
        return  # all are reported, and the saga is left as it is


@examples(60)
@given(before=st.lists(st.integers(0, 12), max_size=6))
def test_records_in_any_order_end_in_a_replay_or_in_a_refusal(before: list[int]) -> None:
    journal = InMemoryJournal.participant(InMemoryEnvironment("the store"))
    events = participant_events(SAGA)
    with journal.transaction():
        for sequence, at in enumerate(before, 1):
            journal.append(SAGA, TimestampedEvent(sequence, sequence, events[at]))
    try:
        replay(journal, SAGA)
    except IllegalTransition:
        return


@pytest.mark.parametrize("changed", [b"", b"x", bytes(2_000)], ids=["empty", "another", "long"])
def test_a_changed_plan_is_refused_with_the_saga_that_needs_it(tmp_path: Path, changed: bytes) -> None:
    environment = LmdbEnvironment.open(tmp_path, owner="Desk", durability=Durability.PROCESS)
    journal = LmdbJournal.initiator(environment)
    with journal.transaction():
        journal.append(SAGA, TimestampedEvent(1, 1, initiator_events(SAGA)[0]))
    ((digest, _),) = environment.rows(PLANS, b"", b"\xff" * 20)
    put(environment, PLANS, digest, changed)
    environment.close()
    environment = LmdbEnvironment.open(tmp_path, owner="Desk", durability=Durability.PROCESS)
    try:
        with pytest.raises(StoreDamaged) as caught:
            LmdbJournal.initiator(environment).read(SAGA)
    finally:
        environment.close()
    must_name(caught.value, str(tmp_path), str(SAGA), f"the plan {digest.hex()} was changed")


@pytest.mark.parametrize("size", [0, 1, 15, 17, 64, 65, 600])
def test_a_plan_under_a_digest_of_another_size_is_not_there(size: int) -> None:
    assert InMemoryEnvironment("the store").load_plan(bytes(size)) is None


@pytest.mark.parametrize("key", [bytes(8), bytes(3), bytes(8) + b"short", bytes(60)])
def test_a_foreign_key_among_the_tombstones_forgets_no_mark_of_anybody(key: bytes) -> None:
    environment, journal = two_sagas()
    marks = InMemoryDedupe(environment)
    with environment.transaction():
        marks.check_and_mark(SAGA, "pay", 5)
    put(environment, PARTICIPANT.tombstones, key, b"")
    put(environment, PARTICIPANT.finished, key, b"")
    for prune in (journal.prune, journal.prune_tombstones):
        with pytest.raises(StoreDamaged, match=r"is no time and saga") as caught:
            prune(FOREVER, 10)
        must_name(caught.value, "participant.")
    assert marks.seen(SAGA, "pay")


def test_one_unreadable_end_does_not_keep_the_others_from_being_pruned() -> None:
    environment, journal = two_sagas()
    finish(journal, SAGA, 1)
    finish(journal, OTHER, 2)
    before = environment.value(PARTICIPANT.ended, SAGA.bytes)
    assert before is not None
    put(environment, PARTICIPANT.ended, SAGA.bytes, before[:-1])
    for _ in range(2):
        with pytest.raises(StoreDamaged) as caught:
            journal.prune(FOREVER, 1)
        must_name(caught.value, str(SAGA), "how it ended is unreadable")
    assert journal.tombstone(OTHER) == GONE
    assert journal.read(OTHER) == ()
    assert environment.value(PARTICIPANT.ended, SAGA.bytes) == before[:-1], "the evidence"
    assert len(environment.rows(PARTICIPANT.records, SAGA.bytes, SAGA.bytes + b"\xff" * 8)) == 3
    assert environment.rows(PARTICIPANT.finished, b"", b"\xff" * 30) == [(time_key(1, SAGA.bytes), b"")]


def test_a_journal_of_many_damaged_ends_is_still_pruned_to_its_limit() -> None:
    environment, journal = two_sagas()
    sagas = [SagaId(UUID(int=number)) for number in range(1, 41)]
    for number, saga in enumerate(sagas):
        with journal.transaction():
            journal.append(saga, started(1))
        finish(journal, saga, number)
        if number % 2 == 0:
            put(environment, PARTICIPANT.ended, saga.bytes, b"damaged")
    with pytest.raises(StoreDamaged):
        journal.prune(FOREVER, 15)
    assert sum(journal.tombstone(saga) is not None for saga in sagas[1::2]) == 15

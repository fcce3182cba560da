"""Bits that change on the medium: what is read is right, or refused with an error of the library; never wrong.

LMDB has no checksums and aborts the process on some damage. Then the next start finds that the store was not closed,
walks its pages before LMDB sees them, and says what is wrong. Small stores are walked at every start; in a large one a
bit may hide the tombstone of a saga that ended long ago (only a late duplicate of its start would ask for it).
In about 12 seconds.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from saga_choreography.errors import StoreDamaged, StoreVersionError
from saga_choreography.events import ParticipantEvent
from saga_choreography.storage import PARTICIPANT, InMemoryEnvironment, lmdb_opening
from saga_choreography.storage.staged_journal import StagedJournal
from saga_choreography.storage.staging import StagedEnvironment
from saga_choreography.types import SagaId
from tests.disk.programs import open_store
from tests.power.journal_work import Work, saga
from tests.power.judging import Court, Crashed, Good, Refused
from tests.power.trial import Counts

PAGE: Final = 4_096
SEED: Final = 3
STEPS: Final = 60
SAGAS: Final = [saga(number) for number in range(30)]


def answers(environment: StagedEnvironment) -> dict[str, str]:
    """What the store says of every saga, and which are live; damage is an answer."""
    journal = StagedJournal(environment, PARTICIPANT)

    def say(ask: Callable[[], object]) -> str:
        try:
            return repr(ask())
        except (StoreDamaged, StoreVersionError):
            return "damaged"

    said = {"live": say(lambda: sorted(journal.live_sagas()))}
    for saga_id in SAGAS:
        said[f"read {saga_id}"] = say(partial(journal.read, saga_id))
        said[f"tombstone {saga_id}"] = say(partial(journal.tombstone, saga_id))
    if said["live"] != "damaged":
        # A saga that recovery meets and cannot read is reported, with its evidence kept.
        unreadable = [found for found in journal.live_sagas() if said.get(f"read {found}", "damaged") == "damaged"]
        if any(found not in SAGAS for found in unreadable):
            said["live"] = _damaged_if_unreadable(journal, unreadable)
    return said


def _damaged_if_unreadable(journal: StagedJournal[ParticipantEvent], sagas: list[SagaId]) -> str:
    for saga_id in sagas:
        try:
            journal.read(saga_id)
        except (StoreDamaged, StoreVersionError):
            return "damaged"
    return "unknown sagas are live and readable"


def ask_everything(path: Path) -> dict[str, str]:
    """Open a store as its actor does, and ask it everything."""
    environment = open_store(path)
    try:
        return answers(environment)
    finally:
        environment.close()


def ask_a_large_store(path: Path) -> dict[str, str]:
    """As if the store were too large to be walked at every start."""
    setattr(lmdb_opening, "WALKED_BYTES", 0)  # noqa: B010  # a constant, but not in this process
    return ask_everything(path)


def damages(clean: bytes, chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Bits anywhere, bits where pages describe themselves, and pages that are nothing but zeros."""
    pages = len(clean) // PAGE
    for number in range(count):
        spoiled = bytearray(clean)
        match number % 5:
            case 0 | 1:
                kind, at = "bit", chance.randrange(len(clean))
            case 2 | 3:
                kind, at = "header bit", chance.randrange(pages) * PAGE + chance.randrange(64)
            case _:
                kind, at = "zeroed page", chance.randrange(2, pages) * PAGE
        if kind == "zeroed page":
            spoiled[at : at + PAGE] = bytes(PAGE)
        else:
            spoiled[at] ^= 1 << chance.randrange(8)
        yield kind, bytes(spoiled)


def spoil_often(tmp_path: Path, count: int, seed: int, *, is_large: bool = False) -> Counts:
    """Spoil a store in many ways, open each twice if need be, and compare every answer with the right one."""
    memory = InMemoryEnvironment()
    environment = open_store(tmp_path / "clean")
    for one in (memory, environment):
        work = Work(one, SEED)
        for _ in range(STEPS):
            work.step()
    right = answers(memory)
    assert answers(environment) == right
    environment.close()
    clean = (tmp_path / "clean" / "data.mdb").read_bytes()
    kinds: Counter[str] = Counter()
    failures: list[str] = []
    with Court(ask_a_large_store if is_large else ask_everything) as court:
        for number, (kind, spoiled) in enumerate(damages(clean, random.Random(seed), count)):
            path = tmp_path / f"{number}"
            shutil.copytree(tmp_path / "clean", path)
            (path / "data.mdb").write_bytes(spoiled)
            found = court.judge(path)
            crashed = isinstance(found, Crashed)
            if crashed:
                found = court.judge(path)
            match found:
                case Good(dict(said)):
                    wrong = [what for what in right if said[what] not in (right[what], "damaged")]
                    result = "right" if said == right else "refused where it is damaged"
                    hidden = [what for what in wrong if what.startswith("tombstone") and said[what] == "None"]
                    if is_large and hidden:
                        result = "a tombstone is hidden"
                        wrong = [what for what in wrong if what not in hidden]
                    if wrong or crashed:
                        result = "WRONG"
                        failures.append(f"{number} ({kind}): {[(what, right[what], said[what]) for what in wrong]}")
                case Refused(kind="StoreDamaged" | "StoreVersionError") if (path / "data.mdb").read_bytes() == spoiled:
                    result = "a crash, then refused" if crashed else "refused"
                case _:
                    result = "WRONG"
                    failures.append(f"{number} ({kind}): {found}")
            kinds[f"{kind}: {result}"] += 1
            shutil.rmtree(path)
    return Counts(made=count, distinct=count, torn=0, kinds=kinds, failures=failures)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("is_large", [False, True])
def test_bits_that_change_give_the_right_data_or_an_error_never_a_wrong_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, is_large: bool
) -> None:
    counts = spoil_often(tmp_path, 200 if is_large else 400, 1, is_large=is_large)
    with capsys.disabled():
        print(f"\n    damaged data files, {'large' if is_large else 'small'} store: {counts}")
    assert not counts.failures, counts.failures[:5]


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("seed", range(2, 7))
def test_very_many_bits_that_change_give_the_right_data_or_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int, *, is_large: bool
) -> None:
    counts = spoil_often(tmp_path, 4_000, seed, is_large=is_large)
    with capsys.disabled():
        print(f"\n    damaged data files, {'large' if is_large else 'small'} store, seed {seed}: {counts}")
    assert not counts.failures, counts.failures[:5]

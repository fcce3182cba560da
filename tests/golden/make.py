"""Writes the journals that are kept: `python -m tests.golden.make FOLDER`. The same release writes the same rows.

payloads.json   one value of every kind of payload, encoded
rows.json       every row of every store, to be read on any machine
state/          a data directory with these stores, as LMDB has them where pages are 4096 bytes

Whatever release made a folder, its files are never made anew: a release with another format makes another folder.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

import lmdb

from saga_choreography.codec import PayloadCodec, payload_codec
from saga_choreography.events import OutcomeKind
from saga_choreography.storage import DataDirectory, LmdbDedupe, LmdbEnvironment, LmdbJournal, Tombstone
from saga_choreography.storage.layout import TABLES
from saga_choreography.storage.lmdb_identity import IDENTITY_NAME, StoreIdentity
from saga_choreography.storage.lmdb_pages import DATA_NAME
from saga_choreography.storage.staging import StagedEnvironment
from tests.golden.journals import (
    ACTORS,
    INITIATOR,
    NAMES,
    SAGAS,
    STARTED,
    Encoded,
    at,
    digest,
    initiator,
    pay,
    reserve,
    ship,
    stamped,
    stamped_of_initiator,
)
from tests.golden.order import VALUES

PAGE_BYTES: Final = 4096
SMALL_MAP: Final = 1 << 18
ENDED: Final[Mapping[str, OutcomeKind]] = {"failed": OutcomeKind.FAILED, "pruned": OutcomeKind.COMPLETED}
Rows: TypeAlias = dict[str, dict[str, list[list[str]]]]
"""Rows as hexadecimal text, by store and table."""


def encoded() -> dict[str, bytes]:
    """Every kind of payload as this release encodes it."""
    made: dict[str, bytes] = {}
    for name, (declared, value) in VALUES.items():
        codec: PayloadCodec[object] = payload_codec(declared)
        made[name] = codec.encode(value, name)
    return made


def open_store(directory: DataDirectory, actor: str, number: int) -> LmdbEnvironment:
    """A new store whose identity does not depend on time and chance."""
    directory.set_shards(actor, 1)
    path = directory.env_path(actor)
    path.mkdir(parents=True)
    owner = f"{actor}/0"
    StoreIdentity(store_id=f"{number:032x}", owner=owner, created_at_millis=STARTED).save(path)
    environment = LmdbEnvironment.open(path, owner=owner, map_size_bytes=SMALL_MAP)
    directory.mark_ready(actor, 0)
    return environment


def fill_participant(environment: LmdbEnvironment, actor: str, raw: Encoded) -> None:
    journal, dedupe = LmdbJournal.participant(environment), LmdbDedupe(environment)
    step = ACTORS[actor]
    tell = {"reserve": reserve, "pay": pay, "ship": ship}[step]
    for name in reversed(NAMES):  # the pruned one first, while nothing else has ended
        records = stamped(tell(name, raw))
        for record in records:  # each in a transaction of its own, as they come about
            with journal.transaction():
                if record.sequence == 1:
                    dedupe.check_and_mark(SAGAS[name], step, record.at_millis)
                journal.append(SAGAS[name], record)
                if name in ENDED and record is records[-1]:
                    journal.end(SAGAS[name], record.at_millis, Tombstone(outcome=ENDED[name], digest=b""))
        if name == "pruned":
            journal.prune(at(len(records) + 1), 1)


def fill_initiator(environment: LmdbEnvironment, raw: Encoded) -> None:
    journal = LmdbJournal.initiator(environment)
    for name in reversed(NAMES):
        records = stamped_of_initiator(initiator(name, raw))
        for record in records:
            with journal.transaction():
                journal.append(SAGAS[name], record)
                if name in ENDED and record is records[-1]:
                    tombstone = Tombstone(outcome=ENDED[name], digest=digest(raw))
                    journal.end(SAGAS[name], record.at_millis, tombstone)
        if name == "pruned":
            journal.prune(at(len(records) + 1), 1)


def rows_of(environment: StagedEnvironment) -> dict[str, list[list[str]]]:
    """Every row there is, in order."""
    tables = {table: environment.all_rows(table) for table in TABLES}
    return {table: [[key.hex(), value.hex()] for key, value in rows] for table, rows in tables.items() if rows}


def write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="ascii")


def make(folder: Path) -> None:
    """Write everything into an empty or missing folder."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = encoded()
    write_json(folder / "payloads.json", {name: value.hex() for name, value in raw.items()})
    rows: Rows = {}
    with TemporaryDirectory() as scratch, DataDirectory.open(scratch) as directory:
        for number, actor in enumerate((*ACTORS, INITIATOR), 1):
            environment = open_store(directory, actor, number)
            try:
                if actor == INITIATOR:
                    fill_initiator(environment, raw)
                else:
                    fill_participant(environment, actor, raw)
                rows[actor] = rows_of(environment)
            finally:
                environment.close()
            compact(directory.env_path(actor), folder / "state" / "actors" / actor / "0")
        shutil.copy(Path(scratch) / "manifest.json", folder / "state" / "manifest.json")
    write_json(folder / "rows.json", rows)


def compact(source: Path, target: Path) -> None:
    """A copy of a store without its free pages, locks and table of readers."""
    target.mkdir(parents=True)
    with lmdb.open(str(source), readonly=True, lock=False, max_dbs=len(TABLES) + 1) as raw:
        raw.copy(str(target), compact=True)
    assert [path.name for path in target.iterdir()] == [DATA_NAME]
    shutil.copy(source / IDENTITY_NAME, target / IDENTITY_NAME)


if __name__ == "__main__":
    make(Path(sys.argv[1]))

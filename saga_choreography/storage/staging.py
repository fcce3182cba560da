"""One transaction for everything in an environment.

Writes are staged in memory and handed to the engine as a whole at the outer exit. So a failed commit leaves nothing
behind, and the engine may apply the same stage again after it made room. Reads answer what is committed, from any
thread; only the checks made while writing (sequence, marks) see what is staged.
"""

import hashlib
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import islice
from threading import get_ident
from types import TracebackType
from typing import Final, Protocol, final

from typing_extensions import TypeVar, override

from saga_choreography.codec.plans import DIGEST_BYTES
from saga_choreography.errors import StoreDamaged, StoreMisused
from saga_choreography.storage.layout import AFTER_ALL_KEYS, PLANS
from saga_choreography.storage.ownership import Ownership

T = TypeVar("T")

_MOST_KNOWN: Final = 4096
"""Sagas of a role whose last sequence is kept at hand, and at most twice as many: those at work. One that rests for
long is looked up again."""


@final
class Stage:
    """What one transaction will write, by table. A value of None deletes. Inserts must be new keys."""

    __slots__ = ("closed", "depth", "doom", "ident", "inserts", "last", "uses_reserve", "writes")

    def __init__(self) -> None:
        self.inserts: defaultdict[str, dict[bytes, bytes]] = defaultdict(dict)
        self.writes: defaultdict[str, dict[bytes, bytes | None]] = defaultdict(dict)
        self.last: defaultdict[str, dict[bytes, int]] = defaultdict(dict)
        """Last sequence of the sagas touched, by role."""
        self.closed: defaultdict[str, set[bytes]] = defaultdict(set)
        """Touched sagas that have ended, by role."""
        self.depth: int = 1
        self.ident: int = get_ident()
        self.doom: str | None = None
        self.uses_reserve: bool = False


class Reads(Protocol):
    """Committed rows of one moment."""

    def value(self, table: str, key: bytes) -> bytes | None:
        """The value of a key, or None."""
        ...

    def rows(self, table: str, start: bytes, stop: bytes, limit: int | None = None) -> list[tuple[bytes, bytes]]:
        """Rows with start <= key < stop, in order of their keys."""
        ...


class StagedEnvironment(ABC):
    """Tables under one transaction, and the plans all journals in it share."""

    def __init__(self, store: str) -> None:
        self.store = store
        self._ownership = Ownership(store)
        self._stage: Stage | None = None
        self._transaction = _Transaction(self)
        self._plans: dict[bytes, bytes] = {}
        self._known: defaultdict[str, dict[bytes, int]] = defaultdict(dict)

    def transaction(self) -> AbstractContextManager[None]:
        """Everything written inside is committed on a clean exit, or not at all. A nested one joins the outer one.

        Raises:
            StoreMisused: another thread or a forked process; or something inside failed and was swallowed (at exit).
            StoreFull, StoreDamaged, StoreError: at the outer exit; nothing was applied.
        """
        return self._transaction

    def hand_over(self) -> None:
        """The next thread that writes becomes the owner.

        Raises:
            StoreMisused: a transaction is open.
        """
        self.refuse_stage("hand over")
        self._ownership.hand_over()

    def open_stage(self) -> Stage:
        """The stage of the open transaction.

        Raises:
            StoreMisused: none is open, or it belongs to another thread.
        """
        stage = self._stage
        if stage is None or stage.ident != get_ident():
            self._ownership.require_owner()
            raise StoreMisused(self.store, "a write without a transaction", "use `with journal.transaction():`")
        return stage

    def refuse_stage(self, what: str) -> None:
        """
        Raises:
            StoreMisused: a transaction is open.
        """
        if self._stage is not None:
            raise StoreMisused(self.store, f"{what} inside a transaction", f"{what} outside of it")

    def staged(self, table: str, key: bytes) -> bytes | None:
        """The value of a key as the open transaction sees it. For the owning thread."""
        if self._stage is not None:
            rows = self._stage.writes.get(table)
            if rows is not None and key in rows:
                return rows[key]
        return self.snapshot_value(table, key)

    def snapshot_value(self, table: str, key: bytes) -> bytes | None:
        """The committed value of a key, for the owning thread while it has a transaction open."""
        return self.value(table, key)

    def known_lasts(self, role: str) -> Mapping[bytes, int]:
        """Last committed sequences of live sagas, as far as they are at hand: the one writer need not read them."""
        return self._known[role]

    @abstractmethod
    def consistent(self, look: Callable[[Reads], T]) -> T:
        """What `look` finds in committed rows, all of one moment. Any thread may call it."""

    @abstractmethod
    def value(self, table: str, key: bytes) -> bytes | None:
        """The committed value of a key, or None. Any thread may call it."""

    @abstractmethod
    def rows(self, table: str, start: bytes, stop: bytes, limit: int | None = None) -> list[tuple[bytes, bytes]]:
        """Committed rows with start <= key < stop, in order of their keys. Any thread may call it."""

    def all_rows(self, table: str) -> list[tuple[bytes, bytes]]:
        """Every committed row of a table. Any thread may call it.

        Raises:
            StoreDamaged: some have vanished.
        """
        return self.rows(table, b"", AFTER_ALL_KEYS)

    @abstractmethod
    def close(self) -> None:
        """Release everything. Idempotent."""

    @abstractmethod
    def _commit(self, stage: Stage) -> None:
        """Apply a stage as a whole or not at all."""

    def _discard(self) -> None:
        """A transaction ended; whatever was kept for its reads may go."""
        self._stage = None

    def save_plan(self, digest: bytes, plan: bytes) -> None:
        """Keep a plan; it is committed with the record that names it."""
        if digest not in self._plans:
            self.open_stage().writes[PLANS][digest] = plan

    def load_plan(self, digest: bytes) -> bytes | None:
        """The bytes of a committed plan, or None. Any thread may call it.

        Raises:
            StoreDamaged: they are not what was written.
        """
        plan = self._plans.get(digest)
        if plan is None:
            plan = self.value(PLANS, digest) if len(digest) == DIGEST_BYTES else None
            if plan is None:
                return None
            if hashlib.blake2b(plan, digest_size=DIGEST_BYTES).digest() != digest:
                raise StoreDamaged(self.store, f"the plan {digest.hex()} was changed", "restore it from a backup")
            self._plans[digest] = plan
        return plan

    def begin(self) -> None:
        """Enter a transaction. For `_Transaction` only."""
        self._ownership.require_owner()
        if self._stage is None:
            self._stage = Stage()
        else:
            self._stage.depth += 1

    def finish(self, failure: BaseException | None) -> None:
        """Leave a transaction. For `_Transaction` only."""
        self._ownership.require_owner()
        stage = self.open_stage()
        stage.depth -= 1
        if failure is not None and stage.doom is None:
            stage.doom = f"{type(failure).__name__}: {failure}"
        if stage.depth:
            return
        self._discard()
        if failure is not None:
            return
        if stage.doom is not None:
            raise StoreMisused(
                self.store,
                f"a failure inside a transaction was swallowed, nothing was committed ({stage.doom})",
                "let it leave the transaction",
            )
        if any(stage.inserts.values()) or any(stage.writes.values()):
            self._commit(stage)
            self._note_last(stage)
            for digest, plan in stage.writes.get(PLANS, {}).items():
                if plan is not None:
                    self._plans[digest] = plan

    def _note_last(self, stage: Stage) -> None:
        for role, lasts in stage.last.items():
            known, closed = self._known[role], stage.closed[role]
            for saga, last in lasts.items():
                if saga in closed:
                    known.pop(saga, None)
                else:
                    known[saga] = last
            if len(known) > 2 * _MOST_KNOWN:
                # Half at once: to find the first key of a dict that has lost many takes a walk over where they were.
                for saga in list(islice(known, len(known) - _MOST_KNOWN)):
                    del known[saga]


@final
class _Transaction(AbstractContextManager[None]):
    """Without state of its own, so one object serves all transactions of an environment."""

    __slots__ = ("_environment",)

    def __init__(self, environment: StagedEnvironment) -> None:
        self._environment = environment

    @override
    def __enter__(self) -> None:
        self._environment.begin()

    @override
    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._environment.finish(failure)

"""Who a store is. The same identity stands inside the data file and in `identity.json` beside it.

LMDB opens a missing or emptied file as a new, empty store; the pair tells a lost store from a new one. The file beside
is written first, as "creating"; it becomes "ready" when the data file is durable, and only then is the store used. So
"creating" never had anything acknowledged and may be made anew; "ready" without its data is a loss.

The format in it is that of everything in the store (`layout`). It is looked at before anything else is, and a library
that is to write what this one would misread raises it in both places before it does.
"""

import json
import time
import uuid
from enum import Enum
from pathlib import Path
from typing import Final, final

from attrs import evolve, frozen

from saga_choreography.errors import StoreDamaged, StoreVersionError
from saga_choreography.storage.files import Json, parse_document, read_document, write_document

IDENTITY_NAME: Final = "identity.json"
STORE_FORMAT: Final = 1
_REMEDY: Final = "keep the directory as evidence and restore it from a backup"


class StoreState(Enum):
    """How far the creation of a store has come."""

    CREATING = "creating"
    READY = "ready"


@final
@frozen(kw_only=True)
class StoreIdentity:
    """Identity of one environment."""

    store_id: str
    owner: str
    created_at_millis: int
    format: int = STORE_FORMAT
    state: StoreState = StoreState.CREATING

    @classmethod
    def fresh(cls, owner: str) -> "StoreIdentity":
        return cls(store_id=uuid.uuid4().hex, owner=owner, created_at_millis=time.time_ns() // 1_000_000)

    def ready(self) -> "StoreIdentity":
        return evolve(self, state=StoreState.READY)

    def document(self) -> dict[str, object]:
        return {
            "format": self.format,
            "store_id": self.store_id,
            "owner": self.owner,
            "created_at_millis": self.created_at_millis,
            "state": self.state.value,
        }

    def inside(self) -> bytes:
        """What stands in the data file."""
        return json.dumps(self.ready().document(), sort_keys=True).encode()

    def save(self, directory: Path) -> None:
        write_document(directory / IDENTITY_NAME, self.document())


def load_identity(store: str, directory: Path) -> StoreIdentity | None:
    """The identity beside the data file, or None when there is none.

    Raises:
        StoreDamaged, StoreVersionError: it is unreadable, or of a newer format.
    """
    document = read_document(store, directory / IDENTITY_NAME)
    return None if document is None else _identity(store, IDENTITY_NAME, document)


def check_inside(store: str, beside: StoreIdentity, raw: bytes | None) -> None:
    """Compare the identity in the data file with the one beside it.

    Raises:
        StoreDamaged: there is none, or the data file belongs to another directory.
        StoreVersionError: a newer format, or another owner.
    """
    if raw is None:
        raise StoreDamaged(store, "its data file has no identity: it was emptied or replaced", _REMEDY)
    what = "the identity in its data file"
    inside = _identity(store, what, parse_document(store, what, raw))
    check_owner(store, inside, beside.owner)
    if inside.store_id != beside.store_id:
        raise StoreDamaged(
            store, f"its data file is that of store {inside.store_id}, {beside.store_id} belongs here", _REMEDY
        )


def check_owner(store: str, identity: StoreIdentity, owner: str) -> None:
    """
    Raises:
        StoreVersionError: the store belongs to another actor.
    """
    if identity.owner != owner:
        raise StoreVersionError(
            store, f"it belongs to {identity.owner!r}, not to {owner!r}", "give each actor a directory of its own"
        )


def _identity(store: str, what: str, document: dict[str, Json]) -> StoreIdentity:
    written = document.get("format")
    if isinstance(written, int) and written > STORE_FORMAT:
        raise StoreVersionError(
            store, f"it has format {written}, this library reads {STORE_FORMAT}", "use the version that wrote it"
        )
    match document:
        case {
            "format": int(form),
            "store_id": str(store_id),
            "owner": str(owner),
            "created_at_millis": int(created_at_millis),
            "state": "creating" | "ready" as state,
        } if form == STORE_FORMAT and not isinstance(form, bool) and not isinstance(created_at_millis, bool):
            return StoreIdentity(
                store_id=store_id,
                owner=owner,
                created_at_millis=created_at_millis,
                format=form,
                state=StoreState(state),
            )
        case _:
            raise StoreDamaged(store, f"{what} is not what was written: {document!r:.200}", _REMEDY)

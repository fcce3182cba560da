"""The shard count of an actor may change only while none of its sagas live."""

from saga_choreography.errors import StoreMisused
from saga_choreography.runtime.attaching import INITIATOR_SUFFIX
from saga_choreography.storage import DataDirectory, Durability, StorePlace


def refuse_while_live(directory: DataDirectory, actor_name: str, shards: int, durability: Durability) -> None:
    """Check a shard count against the stores there are.

    Raises:
        StoreMisused: it differs, and sagas live under the old one.
    """
    for name in (actor_name, actor_name + INITIATOR_SUFFIX):
        known = directory.shards_of(name)
        if known is None or known == shards:
            continue
        for shard in range(known):
            if not directory.is_ready(name, shard):
                continue
            place = StorePlace(
                path=directory.env_path(name, shard), owner=f"{name}/{shard}", durability=durability, must_exist=True
            )
            journal = place.open_initiator_journal() if name != actor_name else place.open_journal()
            try:
                live = sum(1 for _ in journal.live_sagas())
            finally:
                journal.close()
            if live:
                why = f"actor {actor_name!r} has {live} live saga(s) in shard {shard} of {known}"
                raise StoreMisused(str(directory.path), why, f"start it with shards={known} until they have ended")

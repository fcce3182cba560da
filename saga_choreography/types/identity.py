"""Who is who: saga ids, peer ids and the keys under which effects happen."""

import itertools
import os
import time
from random import Random
from typing import Final, Literal, NewType
from uuid import UUID

SagaId = NewType("SagaId", UUID)
"""Identity of one saga. Generated as UUID version 7, so ids sort by start time; callers may bring any UUID."""

PeerId = NewType("PeerId", str)
"""Stable name of an actor, the same before and after a restart."""

IdempotencyKey = NewType("IdempotencyKey", str)
"""The key under which an outside effect may happen at most once (at most 32 + 1 + len(step name) + 5 characters).

Meant for whatever the other side calls it: the `Idempotency-Key` of HTTP services, a client order id, a label.
"""

Direction = Literal["do", "undo"]

_RANDOM_A_BITS = 12
_RANDOM_B_BITS = 62

_random: Final = Random()
"""Seeded by the system, as `os.urandom` is, which would cost a system call for each id."""
os.register_at_fork(after_in_child=_random.seed)

_births: Final = itertools.count(1)


def next_birth() -> int:
    """Numbers, in order of time, of what this process brings forth: the next one, from 1. Any thread."""
    return next(_births)


def new_saga_id() -> SagaId:
    """A fresh id as UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then random bits."""
    random_bits = _random.getrandbits(_RANDOM_A_BITS + _RANDOM_B_BITS)
    random_a = random_bits & ((1 << _RANDOM_A_BITS) - 1)
    random_b = (random_bits >> _RANDOM_A_BITS) & ((1 << _RANDOM_B_BITS) - 1)
    millis = time.time_ns() // 1_000_000 & ((1 << 48) - 1)
    return SagaId(UUID(int=(millis << 80) | (7 << 76) | (random_a << 64) | (2 << 62) | random_b))


def idempotency_key(saga_id: SagaId, step_name: str, direction: Direction) -> IdempotencyKey:
    """The one key of a step ("do") or of its compensation ("undo"): no attempt number, so it outlives crashes."""
    return IdempotencyKey(f"{saga_id.hex}-{step_name}-{direction}")

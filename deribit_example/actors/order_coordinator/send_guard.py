"""When does "no order has this label" prove that no order will?

An order carries `valid_until`: the exchange does not begin to match it later. So once that time and a margin for
requests already being worked on have passed since the last possible send, an empty answer is conclusive, and not
before. What a former process sent is unknown: it counts as sent at the moment this one first hears of it.
"""

import time
from collections.abc import Callable
from typing import final

from saga_choreography import IdempotencyKey, SagaContext, SagaId


@final
class SendGuard:
    """Remembers what may have been sent under each key. `settle_millis` is validity plus margin."""

    def __init__(self, settle_millis: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settle_seconds = settle_millis / 1000
        self._monotonic = monotonic
        self._sagas: dict[SagaId, dict[IdempotencyKey, _Sent]] = {}

    def first_attempt(self, context: SagaContext) -> None:
        """This process has seen the key from its beginning: what is not noted here was not sent."""
        self._sagas.setdefault(context.saga_id, {}).setdefault(context.idempotency_key, _Sent(None))

    def sending(self, context: SagaContext, label: str) -> None:
        """An order under this label is about to be sent; its validity begins now."""
        self._sent(context).at[label] = self._monotonic()

    def not_sent(self, context: SagaContext, label: str) -> None:
        """There is no order under this label, and none can come: it never left, was refused, or is proven absent."""
        self._sent(context).at[label] = None

    def is_clean(self, context: SagaContext, label: str) -> bool:
        """Whether an order may be sent under this label."""
        return self._sent(context).time_of(label) is None

    def has_settled(self, context: SagaContext, label: str) -> bool:
        """Whether what was not found under this label by now will never appear."""
        sent_at = self._sent(context).time_of(label)
        return sent_at is None or self._monotonic() - sent_at >= self._settle_seconds

    def forget(self, saga_id: SagaId) -> None:
        """The saga has ended."""
        self._sagas.pop(saga_id, None)

    def _sent(self, context: SagaContext) -> "_Sent":
        keys = self._sagas.setdefault(context.saga_id, {})
        sent = keys.get(context.idempotency_key)
        if sent is None:
            sent = keys[context.idempotency_key] = _Sent(self._monotonic())
        return sent


@final
class _Sent:
    """Monotonic seconds of the last possible send by label; None: none that counts. Other labels: `heard_at`."""

    def __init__(self, heard_at: float | None) -> None:
        self._heard_at = heard_at
        self.at: dict[str, float | None] = {}

    def time_of(self, label: str) -> float | None:
        return self.at.get(label, self._heard_at)

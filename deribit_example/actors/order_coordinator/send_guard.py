"""When does "no order has this label" prove that no order will?

An order carries `valid_until`: the exchange does not begin to match it later. So once that time and a margin for
requests already being worked on have passed since the last possible send, an empty answer is conclusive, and not
before. What a former process sent is unknown: it counts as sent at the moment this one first hears of the label.
"""

import time
from collections.abc import Callable
from typing import final


@final
class SendGuard:
    """Remembers, by label, when an order may last have been sent. `settle_millis` is validity plus margin."""

    def __init__(self, settle_millis: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settle_seconds = settle_millis / 1000
        self._monotonic = monotonic
        self._sent_at: dict[str, float | None] = {}

    def first_attempt(self, label: str) -> None:
        """Nothing was ever sent under this label."""
        self._sent_at.setdefault(label, None)

    def sent(self, label: str) -> None:
        """An order under this label was sent just now, at the latest."""
        self._sent_at[label] = self._monotonic()

    def is_conclusive(self, label: str) -> bool:
        """Whether an empty answer for this label, given now, is final."""
        if label not in self._sent_at:
            self.sent(label)
        sent_at = self._sent_at[label]
        return sent_at is None or self._monotonic() - sent_at >= self._settle_seconds

    def forget(self, label: str) -> None:
        """The label is settled."""
        self._sent_at.pop(label, None)

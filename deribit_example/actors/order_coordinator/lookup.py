"""Finding an order again: by its label or its id, and in the history once the exchange's short memory is over.

Orders stay in the exchange's short memory for about 30 minutes. Afterwards an empty answer or "not found" says nothing,
so whatever belongs to an older saga is also looked up in the order history.
"""

import time
from collections.abc import Callable
from typing import Final, final

from attrs import frozen

from deribit_example.actors.deribit_ws import DeribitClient, OrderSnapshot
from deribit_example.actors.order_coordinator.business import with_label

MEMORY_MILLIS: Final = 25 * 60 * 1000
"""How long the short memory is trusted; a little less than the exchange's half hour."""
PAGE: Final = 100
MOST_PAGES: Final = 50
CLOCK_MARGIN_MILLIS: Final = 60_000
"""How far the exchange's clock and ours may be apart when the history is cut at the start of the saga."""


class HistoryTooLong(Exception):
    """The history did not reach back to the start of the saga: "not found" would be a guess."""


@final
@frozen(kw_only=True)
class Lookup:
    """Where the orders of one saga are looked for. `started_at_millis` (Unix) is when the saga started."""

    client: DeribitClient
    instrument: str
    settlement_currency: str
    started_at_millis: int

    def by_label(self, label: str) -> OrderSnapshot | None:
        """The order with a label.

        Raises:
            DeribitError, HistoryTooLong: nobody could tell.
        """
        recent = self.client.get_order_state_by_label(self.settlement_currency, label, wait_for_connection=True)
        found = with_label(recent, label)
        if found is None and now_millis() - self.started_at_millis > MEMORY_MILLIS:
            found = self._in_history(lambda order: order.label == label)
        return found

    def by_id(self, order_id: str) -> OrderSnapshot | None:
        """An order that the short memory does not know any more.

        Raises:
            DeribitError, HistoryTooLong: nobody could tell.
        """
        return self._in_history(lambda order: order.order_id == order_id)

    def _in_history(self, wanted: Callable[[OrderSnapshot], bool]) -> OrderSnapshot | None:
        for page in range(MOST_PAGES):
            orders = self.client.get_order_history(
                self.instrument, count=PAGE, offset=page * PAGE, wait_for_connection=True
            )
            found = next(filter(wanted, orders), None)
            reaches_back = any(
                order.last_update_millis < self.started_at_millis - CLOCK_MARGIN_MILLIS for order in orders
            )
            if found is not None or reaches_back or len(orders) < PAGE:
                return found
        raise HistoryTooLong(f"{MOST_PAGES * PAGE} orders of {self.instrument} are all younger than the saga")


def now_millis() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000

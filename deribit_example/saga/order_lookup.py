"""Finding an order again, however long ago it ended.

The exchange answers from memory for about half an hour after an order has ended; later only its history knows. Whoever
takes the silence of that memory for "there never was one" places a second order: ask the history before concluding.
"""

from collections.abc import Callable, Sequence
from typing import Final, final

from deribit_example.actors.deribit_ws import DeribitClient, OrderSnapshot, RequestRefused

ORDER_NOT_FOUND: Final = 10004
PAGE: Final = 100
MOST_PAGES: Final = 50
CLOCK_DOUBT_MILLIS: Final = 60 * 60 * 1000
"""The saga's start is local time, the orders' is the exchange's: pages are read until this far before the start."""


@final
class LabelNotUnique(Exception):
    """Two orders carry one label, which this program never causes: only an operator can tell which one counts."""

    def __init__(self, label: str, orders: Sequence[OrderSnapshot]) -> None:
        super().__init__(label, orders)
        ids = ", ".join(order.order_id for order in orders)
        self.why = f"orders {ids} all carry label {label}; look at the account before anything else"

    def __str__(self) -> str:
        return self.why


@final
class HistoryTooLong(Exception):
    """The history of an instrument since the saga's start is longer than this program reads."""

    def __init__(self, instrument: str) -> None:
        super().__init__(instrument)
        self.instrument = instrument

    def __str__(self) -> str:
        return (
            f"more than {MOST_PAGES * PAGE} orders in {self.instrument} since the saga began; look the order up by hand"
        )


def with_label(orders: Sequence[OrderSnapshot], label: str) -> OrderSnapshot | None:
    """The order that carries a label, if there is one.

    Raises:
        LabelNotUnique: there are several.
    """
    found = {order.order_id: order for order in orders if order.label == label}
    if len(found) > 1:
        raise LabelNotUnique(label, tuple(found.values()))
    return next(iter(found.values()), None)


def recent_by_label(
    client: DeribitClient, currency: str, label: str, *, wait_for_connection: bool = False
) -> OrderSnapshot | None:
    """The order with a label, if it is open or ended recently; None proves nothing about older ones.

    Raises:
        LabelNotUnique: there are several.
        DeribitError: the exchange could not be asked.
    """
    orders = client.get_order_state_by_label(currency, label, wait_for_connection=wait_for_connection)
    return with_label(orders, label)


def old_by_label(client: DeribitClient, instrument: str, label: str, since_millis: int) -> OrderSnapshot | None:
    """The ended order with a label, from the history since a time (Unix milliseconds).

    Raises:
        LabelNotUnique, HistoryTooLong: an operator must look.
        DeribitError: the exchange could not be asked.
    """
    return _in_history(client, instrument, since_millis, lambda page: with_label(page, label))


def by_id(client: DeribitClient, instrument: str, order_id: str, since_millis: int, *, wait: bool) -> OrderSnapshot:
    """The order with an id, from the history if the exchange's memory has lost it. `wait` is for a connection.

    Raises:
        RequestRefused: there is none.
        HistoryTooLong: an operator must look.
        DeribitError: the exchange could not be asked.
    """
    try:
        return client.get_order_state(order_id, wait_for_connection=wait)
    except RequestRefused as refused:
        if refused.code != ORDER_NOT_FOUND:
            raise
        found = _in_history(
            client,
            instrument,
            since_millis,
            lambda page: next((order for order in page if order.order_id == order_id), None),
        )
        if found is None:
            raise
        return found


def _in_history(
    client: DeribitClient,
    instrument: str,
    since_millis: int,
    pick: Callable[[Sequence[OrderSnapshot]], OrderSnapshot | None],
) -> OrderSnapshot | None:
    for number in range(MOST_PAGES):
        page = client.get_order_history(instrument, count=PAGE, offset=number * PAGE, wait_for_connection=True)
        found = pick(page)
        if found is not None:
            return found
        if len(page) < PAGE or all(order.last_update_millis < since_millis - CLOCK_DOUBT_MILLIS for order in page):
            return None
    raise HistoryTooLong(instrument)

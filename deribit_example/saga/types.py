"""The whole wiring of the order saga on one page: payloads, step tokens, workflow.

signal -> risk check -> prepare_order -> place_order -> monitor_order. Amounts and prices are Decimal all the way.
"""

from decimal import Decimal
from typing import Final, Literal, TypeAlias

from attrs import frozen

from saga_choreography import InDoubt, RetryPolicy, Saga, SagaWorkflow, Step

Side: TypeAlias = Literal["buy", "sell"]


@frozen(kw_only=True)
class OrderIntent:
    """What the risk manager lets through: trade `amount` (in the instrument's own unit) at `price` or better."""

    instrument: str
    side: Side
    amount: Decimal
    price: Decimal
    confidence: float
    strategy: str


@frozen(kw_only=True)
class PreparedOrder:
    """An order the exchange will not refuse for its form: on tick, on contract size, inside the price band."""

    instrument: str
    settlement_currency: str
    side: Side
    amount: Decimal
    price: Decimal


@frozen(kw_only=True)
class PlacedOrder:
    """An order the exchange has taken."""

    instrument: str
    order_id: str
    label: str
    side: Side
    amount: Decimal
    price: Decimal


@frozen(kw_only=True)
class UndoOrder:
    """What undoing a placed order needs: cancel `order_id`, then offset what was filled of it."""

    instrument: str
    settlement_currency: str
    order_id: str
    label: str
    side: Side


@frozen(kw_only=True)
class FilledOrder:
    """The end of a good saga."""

    order_id: str
    filled_amount: Decimal
    average_price: Decimal


_OUTAGE_ATTEMPTS: Final = 150
"""Each waits ten seconds for a connection, so these outlast the half hour of the exchange's own maintenance: a step
that gives up earlier wakes an operator for nothing. Against nothing but errors they last five minutes."""

_UNCOUNTED: Final = 1_000_000
"""Attempts that are ended by the deadlines of the saga alone."""

ORDER = Saga("deribit_order", OrderIntent)

PREPARE_ORDER = Step[OrderIntent, PreparedOrder](
    "prepare_order",
    PreparedOrder,
    after=ORDER,
    pure=True,  # only reads
    retry=RetryPolicy(max_attempts=5, initial_delay_millis=200, max_delay_millis=2_000),
)

PLACE_ORDER = Step[PreparedOrder, PlacedOrder, UndoOrder](
    "place_order",
    PlacedOrder,
    after=PREPARE_ORDER,
    undo=UndoOrder,
    # The exchange knows no idempotency key: a second send is a second order. So a doubt is settled by asking for the
    # label, never by sending again; what even that cannot settle is for an operator.
    in_doubt=InDoubt.QUARANTINE,
    # Also paces the questions for the label; they have an answer once the order's validity and a margin have passed.
    retry=RetryPolicy(max_attempts=_OUTAGE_ATTEMPTS, initial_delay_millis=250, max_delay_millis=2_000),
    compensation_retry=RetryPolicy(max_attempts=_OUTAGE_ATTEMPTS, initial_delay_millis=250, max_delay_millis=2_000),
)

MONITOR_ORDER = Step[PlacedOrder, FilledOrder](
    "monitor_order",
    FilledOrder,
    after=PLACE_ORDER,
    pure=True,  # only watches
    # Every follow-up is an attempt too: how long an order may rest is for the saga's timeouts to say.
    retry=RetryPolicy(max_attempts=_UNCOUNTED, initial_delay_millis=250, max_delay_millis=2_000),
)


def order_workflow(
    *, overall_timeout_millis: int = 300_000, stalled_timeout_millis: int = 120_000
) -> SagaWorkflow[OrderIntent]:
    """The workflow with its timeouts (milliseconds)."""
    return SagaWorkflow(
        ORDER,
        steps=(PREPARE_ORDER, PLACE_ORDER, MONITOR_ORDER),
        overall_timeout_millis=overall_timeout_millis,
        stalled_timeout_millis=stalled_timeout_millis,
    )


ORDER_WORKFLOW = order_workflow()

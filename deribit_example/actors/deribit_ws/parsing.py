"""From decoded JSON to records: strict about what we rely on, blind to what we do not know, and clear about what is
wrong.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from deribit_example.actors.deribit_ws.errors import BadReply
from deribit_example.actors.deribit_ws.records import (
    AccountLimits,
    Direction,
    Instrument,
    OrderSnapshot,
    OrderState,
    RateLimit,
    Ticker,
    TickSizeStep,
)

_STATES: Final[Mapping[str, OrderState]] = {
    "open": "open",
    "filled": "filled",
    "rejected": "rejected",
    "cancelled": "cancelled",
    "untriggered": "untriggered",
    "triggered": "triggered",
}


def mapping_of(raw: object, what: str) -> Mapping[str, object]:
    """`raw` as an object.

    Raises:
        BadReply: it is something else.
    """
    if not isinstance(raw, dict):
        raise BadReply(f"{what} is not an object")
    return raw


def list_of(raw: object, what: str) -> list[object]:
    """`raw` as a list.

    Raises:
        BadReply: it is something else.
    """
    if not isinstance(raw, list):
        raise BadReply(f"{what} is not a list")
    return raw


def text_of(fields: Mapping[str, object], name: str) -> str:
    """A required text field.

    Raises:
        BadReply: missing or no text.
    """
    value = fields.get(name)
    if not isinstance(value, str):
        raise BadReply(f"field {name!r} is missing or no text")
    return value


def optional_decimal_of(fields: Mapping[str, object], name: str) -> Decimal | None:
    """A number if there is one; texts such as "market_price" count as none."""
    value = fields.get(name)
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return None


def decimal_of(fields: Mapping[str, object], name: str) -> Decimal:
    """A required number.

    Raises:
        BadReply: missing or no number.
    """
    value = optional_decimal_of(fields, name)
    if value is None:
        raise BadReply(f"field {name!r} is missing or no number")
    return value


def _direction(fields: Mapping[str, object]) -> Direction:
    match text_of(fields, "direction"):
        case "buy":
            return "buy"
        case "sell":
            return "sell"
        case other:
            raise BadReply(f"direction {other!r} is neither buy nor sell")


def parse_order(raw: object) -> OrderSnapshot:
    """A bare order object, as cancel, get_order_state and the order channel give it."""
    fields = mapping_of(raw, "an order")
    label, reason, updated = (
        fields.get("label"),
        fields.get("cancel_reason"),
        optional_decimal_of(fields, "last_update_timestamp"),
    )
    filled = optional_decimal_of(fields, "filled_amount") or Decimal(0)
    average = optional_decimal_of(fields, "average_price")
    return OrderSnapshot(
        order_id=text_of(fields, "order_id"),
        label=label if isinstance(label, str) else "",
        instrument=text_of(fields, "instrument_name"),
        direction=_direction(fields),
        state=_STATES.get(text_of(fields, "order_state"), "unknown"),
        amount=decimal_of(fields, "amount"),
        filled_amount=filled,
        # The exchange reports an average price of 0 before the first fill.
        average_price=average if filled > 0 else None,
        price=optional_decimal_of(fields, "price"),
        cancel_reason=reason if isinstance(reason, str) else None,
        last_update_millis=0 if updated is None else int(updated),
    )


def parse_placed(raw: object) -> OrderSnapshot:
    """The result of buy and sell: an order beside its trades."""
    return parse_order(mapping_of(raw, "the result of an order").get("order"))


def parse_orders(raw: object) -> tuple[OrderSnapshot, ...]:
    """A list of orders."""
    return tuple(parse_order(item) for item in list_of(raw, "a list of orders"))


def parse_order_event(raw: object) -> tuple[OrderSnapshot, ...]:
    """Data of an order channel: one order (raw), or a list of them (aggregated)."""
    return parse_orders(raw) if isinstance(raw, list) else (parse_order(raw),)


def parse_instrument(raw: object) -> Instrument:
    """The result of public/get_instrument."""
    fields = mapping_of(raw, "an instrument")
    steps = fields.get("tick_size_steps")
    settlement = fields.get("settlement_currency") or fields.get("quote_currency")
    return Instrument(
        name=text_of(fields, "instrument_name"),
        kind=text_of(fields, "kind"),
        settlement_currency=settlement if isinstance(settlement, str) else "",
        tick_size=decimal_of(fields, "tick_size"),
        tick_size_steps=tuple(_step(item) for item in steps) if isinstance(steps, list) else (),
        min_trade_amount=decimal_of(fields, "min_trade_amount"),
        contract_size=decimal_of(fields, "contract_size"),
        is_active=fields.get("is_active") is not False,
    )


def _step(raw: object) -> TickSizeStep:
    fields = mapping_of(raw, "a tick size step")
    return TickSizeStep(above_price=decimal_of(fields, "above_price"), tick_size=decimal_of(fields, "tick_size"))


def parse_ticker(raw: object) -> Ticker:
    """A ticker, from the request or from the channel. An empty side is sent as price 0 or null."""
    fields = mapping_of(raw, "a ticker")
    return Ticker(
        instrument=text_of(fields, "instrument_name"),
        best_bid_price=optional_decimal_of(fields, "best_bid_price") or None,
        best_ask_price=optional_decimal_of(fields, "best_ask_price") or None,
        last_price=optional_decimal_of(fields, "last_price"),
        mark_price=decimal_of(fields, "mark_price"),
        min_price=optional_decimal_of(fields, "min_price"),
        max_price=optional_decimal_of(fields, "max_price"),
        at_millis=int(decimal_of(fields, "timestamp")),
    )


def parse_limits(raw: object) -> AccountLimits:
    """The `limits` of an account summary; a pool that is not named stays None."""
    limits = mapping_of(mapping_of(raw, "an account summary").get("limits"), "the limits of the account")
    matching = limits.get("matching_engine")
    fields = matching if isinstance(matching, dict) else {}
    trading = fields.get("trading")
    total = trading.get("total") if isinstance(trading, dict) else fields
    return AccountLimits(
        non_matching_engine=_rate(limits.get("non_matching_engine")),
        matching_engine=_rate(total),
        cancel_all=_rate(fields.get("cancel_all")),
    )


def _rate(raw: object) -> RateLimit | None:
    if not isinstance(raw, dict):
        return None
    rate, burst = optional_decimal_of(raw, "rate"), optional_decimal_of(raw, "burst")
    return None if rate is None or burst is None else RateLimit(rate=int(rate), burst=int(burst))

"""What an order must satisfy before it reaches a book; every refusal carries the code and data of the real exchange."""

from decimal import Decimal
from typing import Literal

from attrs import frozen

from deribit_example.exchange.accounts import Account
from deribit_example.exchange.errors import RpcError, invalid_param
from deribit_example.exchange.instruments import Instrument, Side
from deribit_example.exchange.ledger import Ledger
from deribit_example.exchange.market import Market
from deribit_example.exchange.matching import OrderType, TimeInForce

MAX_LABEL = 64


@frozen(kw_only=True)
class NewOrder:
    """A request to buy or sell; `price` is None for market orders."""

    instrument: Instrument
    direction: Side
    amount: Decimal
    order_type: OrderType
    price: Decimal | None
    label: str
    time_in_force: TimeInForce
    post_only: bool
    reject_post_only: bool
    reduce_only: bool
    connection_id: int
    cancel_on_disconnect: bool


def check_new_order(new: NewOrder, account: Account, ledger: Ledger, market: Market) -> Decimal:
    """The amount the order may have (reduce-only ones are cut to the position); raises RpcError."""
    check_amount(new.instrument, new.amount)
    if len(new.label) > MAX_LABEL:
        raise invalid_param("label", f"must be at most {MAX_LABEL} characters")
    if new.order_type == "limit":
        if new.price is None:
            raise invalid_param("price", "is required for limit orders")
        check_price(new.instrument, market, new.direction, new.price)
    if new.reduce_only:
        size = ledger.position(account.user_id, new.instrument).size
        closing: Literal["buy", "sell"] = "sell" if size > 0 else "buy"
        if size == 0 or new.direction != closing:
            raise RpcError(11030, detail="reduce_only")
        return min(new.amount, abs(size))
    check_funds(new, account, ledger, market)
    return new.amount


def check_amount(instrument: Instrument, amount: Decimal) -> None:
    """A positive whole number of contracts, not below the minimum; raises RpcError."""
    if amount <= 0:
        raise invalid_param("amount", "must be a positive number")
    if amount % instrument.contract_size != 0:
        raise invalid_param("amount", "must be a multiple of contract size")
    if amount < instrument.min_amount:
        raise RpcError(10002)


def check_price(instrument: Instrument, market: Market, direction: Side, price: Decimal) -> None:
    """On the tick and within the price band of its side; raises RpcError."""
    if price <= 0:
        raise invalid_param("price", "must be a positive number")
    if not instrument.on_tick(price):
        raise invalid_param("price", "must conform to tick size")
    if direction == "buy" and price > market.max_price:
        raise RpcError(10007, detail=f"{market.max_price.normalize():f}")
    if direction == "sell" and price < market.min_price:
        raise RpcError(10005, detail=f"{market.min_price.normalize():f}")


def check_funds(new: NewOrder, account: Account, ledger: Ledger, market: Market) -> None:
    """Initial margin of the position and of all open orders on this side must be covered; raises RpcError 10009."""
    instrument = new.instrument
    position = ledger.position(account.user_id, instrument)
    waiting = sum(
        (
            order.remaining
            for order in ledger.store.open_orders(account.user_id)
            if order.instrument.name == instrument.name and order.direction == new.direction
        ),
        Decimal(0),
    )
    exposure = new.amount + waiting + (position.size if new.direction == "buy" else -position.size)
    margin = instrument.value(exposure, market.mark) / instrument.max_leverage
    equity = account.equity.get(instrument.settlement, Decimal(0)) + position.realized + position.profit_at(market.mark)
    if margin > equity:
        raise RpcError(10009)

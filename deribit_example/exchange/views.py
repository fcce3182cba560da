"""How orders, trades and markets look on the wire."""

from decimal import Decimal

from deribit_example.exchange.book import Book
from deribit_example.exchange.market import Market
from deribit_example.exchange.orders import Order, Trade
from deribit_example.exchange.wire import Json


def order_json(order: Order) -> dict[str, Json]:
    """One order, with the fields the exchange really sends."""
    body: dict[str, Json] = {
        "order_id": order.order_id,
        "order_state": order.order_state,
        "order_type": order.order_type,
        "label": order.label,
        "instrument_name": order.instrument.name,
        "direction": order.direction,
        "price": order.price,
        "amount": order.amount,
        "contracts": order.amount / order.instrument.contract_size,
        "filled_amount": order.filled_amount,
        "average_price": order.average_price,
        "time_in_force": order.time_in_force,
        "post_only": order.post_only,
        "reject_post_only": order.reject_post_only,
        "reduce_only": order.reduce_only,
        "replaced": order.replaced,
        "mmp": False,
        "risk_reducing": False,
        "is_liquidation": False,
        "api": True,
        "web": False,
        "user_id": order.user_id,
        "creation_timestamp": order.created_millis,
        "last_update_timestamp": order.updated_millis,
    }
    return body if order.cancel_reason is None else {**body, "cancel_reason": order.cancel_reason}


def trade_json(trade: Trade) -> dict[str, Json]:
    """One fill."""
    order = trade.order
    return {
        "trade_id": trade.trade_id,
        "trade_seq": trade.trade_seq,
        "instrument_name": order.instrument.name,
        "order_id": order.order_id,
        "order_type": order.order_type,
        "matching_id": None,
        "direction": order.direction,
        "tick_direction": trade.tick_direction,
        "index_price": trade.index_price,
        "mark_price": trade.mark_price,
        "price": trade.price,
        "amount": trade.amount,
        "contracts": trade.amount / order.instrument.contract_size,
        "fee": trade.fee,
        "fee_currency": order.instrument.settlement,
        "liquidity": trade.liquidity,
        "label": order.label,
        "state": order.order_state,
        "user_id": order.user_id,
        "timestamp": trade.timestamp_millis,
    }


def ticker_json(market: Market, book: Book, now_millis: int) -> dict[str, Json]:
    """The ticker of one instrument."""
    bid, ask = book.levels("buy", 1), book.levels("sell", 1)
    return {
        "instrument_name": market.instrument.name,
        "state": "open",
        "timestamp": now_millis,
        "best_bid_price": bid[0][0] if bid else Decimal(0),
        "best_bid_amount": bid[0][1] if bid else Decimal(0),
        "best_ask_price": ask[0][0] if ask else Decimal(0),
        "best_ask_amount": ask[0][1] if ask else Decimal(0),
        "last_price": market.last,
        "mark_price": market.mark,
        "index_price": market.index,
        "min_price": market.min_price,
        "max_price": market.max_price,
        "open_interest": 0,
        "current_funding": 0,
        "funding_8h": 0,
        "stats": {"high": market.mark, "low": market.mark, "volume": 0, "volume_usd": 0, "price_change": 0},
    }


def book_json(market: Market, book: Book, depth: int, now_millis: int) -> dict[str, Json]:
    """The order book of one instrument, best levels first."""
    levels: dict[str, Json] = {
        "bids": [[price, amount] for price, amount in book.levels("buy", depth)],
        "asks": [[price, amount] for price, amount in book.levels("sell", depth)],
        "change_id": market.trade_seq,
    }
    return {**ticker_json(market, book, now_millis), **levels}

"""Methods anyone may call about instruments and prices."""

from deribit_example.exchange.call import Call, Method
from deribit_example.exchange.views import book_json, ticker_json
from deribit_example.exchange.wire import Json

MAX_DEPTH = 1_000


def get_instrument(call: Call) -> Json:
    """One instrument."""
    instrument = call.venue.engine.instrument(call.params.text("instrument_name"))
    return instrument.as_json(call.venue.started_millis)


def get_instruments(call: Call) -> Json:
    """All instruments settled in a currency, or all of them."""
    currency = call.params.text_or_none("currency") or "any"
    kind = call.params.text_or_none("kind") or "future"
    return [
        instrument.as_json(call.venue.started_millis)
        for instrument in call.venue.engine.instruments.values()
        if kind == "future" and currency in ("any", instrument.settlement)
    ]


def ticker(call: Call) -> Json:
    """Best prices, mark, index and price band."""
    engine = call.venue.engine
    name = engine.instrument(call.params.text("instrument_name")).name
    return ticker_json(engine.markets[name], engine.books[name], call.now_millis)


def get_order_book(call: Call) -> Json:
    """The ticker with the best levels of both sides."""
    engine = call.venue.engine
    name = engine.instrument(call.params.text("instrument_name")).name
    depth = max(1, min(MAX_DEPTH, call.params.integer("depth", 5)))
    return book_json(engine.markets[name], engine.books[name], depth, call.now_millis)


METHODS: dict[str, Method] = {
    "public/get_instrument": Method(get_instrument),
    "public/get_instruments": Method(get_instruments, pool="get_instruments"),
    "public/ticker": Method(ticker),
    "public/get_order_book": Method(get_order_book),
}

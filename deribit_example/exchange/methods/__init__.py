"""All methods of the exchange by their wire name."""

from deribit_example.exchange.call import Method
from deribit_example.exchange.methods import market_data, queries, session, trading

METHODS: dict[str, Method] = {**session.METHODS, **market_data.METHODS, **trading.METHODS, **queries.METHODS}

"""One request on its way to a handler, and what a handler is."""

from collections.abc import Callable
from typing import TypeAlias, final

from attrs import frozen

from deribit_example.exchange.accounts import Account, Grant
from deribit_example.exchange.connection import ConnectionState
from deribit_example.exchange.credits import Pool
from deribit_example.exchange.errors import unauthorized
from deribit_example.exchange.params import Params
from deribit_example.exchange.venue import Venue
from deribit_example.exchange.wire import Json


@final
@frozen(kw_only=True)
class Call:
    """A request that passed all checks; `grant` is None for strangers."""

    method: str
    venue: Venue
    state: ConnectionState
    params: Params
    grant: Grant | None

    @property
    def account(self) -> Account:
        """The account that calls; raises RpcError 13009 for strangers."""
        if self.grant is None:
            raise unauthorized()
        return self.grant.account

    @property
    def now_millis(self) -> int:
        """Server time in milliseconds."""
        return self.venue.now_millis()


Handler: TypeAlias = Callable[[Call], Json]


@frozen
class Method:
    """A handler, the right it needs (`area` None: no right), and the pool it is paid from."""

    handler: Handler
    area: str | None = None
    write: bool = False
    pool: Pool = "non_matching_engine"

"""Blocking calls for threads that are not the connection actor, over anything that understands its commands.

Never call these on the connection actor's own thread (that is, in a listener): the answer could not arrive.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Protocol, TypeVar, final

import pykka

from deribit_example.actors.deribit_ws.errors import NotConnected, OutcomeUnknown
from deribit_example.actors.deribit_ws.messaging import (
    DEFAULT_TIMEOUT_MILLIS,
    AwaitReady,
    CancelOrder,
    DeribitCommand,
    GetAccountLimits,
    GetInstrument,
    GetOrderHistory,
    GetOrderState,
    GetOrderStateByLabel,
    GetStatus,
    GetTicker,
    PlaceOrder,
    Replied,
    WatchConnection,
    WatchOrders,
    WatchTicker,
)
from deribit_example.actors.deribit_ws.records import (
    AccountLimits,
    ConnectionEvent,
    ConnectionStatus,
    Instrument,
    NewOrder,
    OrderSnapshot,
    Ticker,
)

T = TypeVar("T")
_GRACE_MILLIS = 2_000


class CommandTarget(Protocol):
    """What the client talks to: a pykka ActorRef of any actor that understands DeribitCommand."""

    def tell(self, message: DeribitCommand) -> None:
        """Deliver a command."""
        ...


@final
class DeribitClient:
    """Each method waits for its answer and raises the DeribitError of the outcome. Timeouts are in milliseconds."""

    def __init__(self, target: CommandTarget) -> None:
        self._target = target

    def wait_until_ready(self, timeout_millis: int = 30_000) -> None:
        """Wait for a session.

        Raises:
            BadCredentials: the exchange does not accept the key.
            ExchangeUnreachable: no session within the timeout.
        """
        command = AwaitReady(timeout_millis=timeout_millis)
        self._run(command, command)

    def place_order(
        self,
        order: NewOrder,
        timeout_millis: int = DEFAULT_TIMEOUT_MILLIS,
        *,
        local_deadline_millis: int | None = None,
        wait_for_connection: bool = False,
    ) -> OrderSnapshot:
        """Place an order; after OutcomeUnknown or RequestThrottled ask by label before anything else.

        Raises:
            DeribitError: RequestRefused, RequestThrottled, OutcomeUnknown or NotConnected.
        """
        command = PlaceOrder(
            order=order,
            timeout_millis=timeout_millis,
            local_deadline_millis=local_deadline_millis,
            wait_for_connection=wait_for_connection,
        )
        return self._run(command, command)

    def cancel_order(
        self, order_id: str, timeout_millis: int = DEFAULT_TIMEOUT_MILLIS, *, wait_for_connection: bool = False
    ) -> OrderSnapshot:
        """Cancel an order; safe to repeat. RequestRefused 11044 or 10004 means: gone already, read its final state."""
        command = CancelOrder(order_id=order_id, timeout_millis=timeout_millis, wait_for_connection=wait_for_connection)
        return self._run(command, command)

    def get_order_state(
        self, order_id: str, timeout_millis: int = DEFAULT_TIMEOUT_MILLIS, *, wait_for_connection: bool = False
    ) -> OrderSnapshot:
        """One order by its id."""
        command = GetOrderState(
            order_id=order_id, timeout_millis=timeout_millis, wait_for_connection=wait_for_connection
        )
        return self._run(command, command)

    def get_order_state_by_label(
        self,
        currency: str,
        label: str,
        timeout_millis: int = DEFAULT_TIMEOUT_MILLIS,
        *,
        wait_for_connection: bool = False,
    ) -> tuple[OrderSnapshot, ...]:
        """Recent orders with this label; empty means not taken, but only within the exchange's memory (about 30
        minutes).
        """
        command = GetOrderStateByLabel(
            currency=currency, label=label, timeout_millis=timeout_millis, wait_for_connection=wait_for_connection
        )
        return self._run(command, command)

    def get_order_history(
        self,
        instrument: str,
        timeout_millis: int = DEFAULT_TIMEOUT_MILLIS,
        *,
        count: int = 100,
        offset: int = 0,
        wait_for_connection: bool = False,
    ) -> tuple[OrderSnapshot, ...]:
        """Older orders of an instrument, also unfilled ones, newest first."""
        command = GetOrderHistory(
            instrument=instrument,
            count=count,
            offset=offset,
            timeout_millis=timeout_millis,
            wait_for_connection=wait_for_connection,
        )
        return self._run(command, command)

    def get_instrument(
        self, name: str, timeout_millis: int = DEFAULT_TIMEOUT_MILLIS, *, wait_for_connection: bool = False
    ) -> Instrument:
        """Tick size, contract size and minimum amount."""
        command = GetInstrument(name=name, timeout_millis=timeout_millis, wait_for_connection=wait_for_connection)
        return self._run(command, command)

    def get_ticker(
        self, name: str, timeout_millis: int = DEFAULT_TIMEOUT_MILLIS, *, wait_for_connection: bool = False
    ) -> Ticker:
        """The top of the book."""
        command = GetTicker(name=name, timeout_millis=timeout_millis, wait_for_connection=wait_for_connection)
        return self._run(command, command)

    def get_account_limits(
        self, currency: str = "BTC", timeout_millis: int = DEFAULT_TIMEOUT_MILLIS, *, wait_for_connection: bool = False
    ) -> AccountLimits:
        """The rate limits of the account."""
        command = GetAccountLimits(
            currency=currency, timeout_millis=timeout_millis, wait_for_connection=wait_for_connection
        )
        return self._run(command, command)

    def watch_orders(
        self, instrument: str, listener: Callable[[OrderSnapshot], None], timeout_millis: int = DEFAULT_TIMEOUT_MILLIS
    ) -> None:
        """Register a listener and wait for the subscription; after NotConnected it stays registered for the next
        session.
        """
        command = WatchOrders(instrument=instrument, listener=listener, timeout_millis=timeout_millis)
        self._run(command, command)

    def watch_ticker(
        self, instrument: str, listener: Callable[[Ticker], None], timeout_millis: int = DEFAULT_TIMEOUT_MILLIS
    ) -> None:
        """Register a listener and wait for the subscription; after NotConnected it stays registered for the next
        session.
        """
        command = WatchTicker(instrument=instrument, listener=listener, timeout_millis=timeout_millis)
        self._run(command, command)

    def watch_connection(
        self, listener: Callable[[ConnectionEvent], None], timeout_millis: int = DEFAULT_TIMEOUT_MILLIS
    ) -> None:
        """Register a listener for sessions that come and go."""
        command = WatchConnection(listener=listener, timeout_millis=timeout_millis)
        self._run(command, command)

    def get_status(self, timeout_millis: int = DEFAULT_TIMEOUT_MILLIS) -> ConnectionStatus:
        """How the connection is doing."""
        command = GetStatus(timeout_millis=timeout_millis)
        return self._run(command, command)

    def _run(self, command: DeribitCommand, replied: Replied[T]) -> T:
        name = type(command).__name__
        try:
            self._target.tell(command)
        except pykka.ActorDeadError:
            raise NotConnected("the connection actor is stopped") from None
        try:
            # The actor keeps the timeout; the grace only covers an actor that was stopped with the command in its
            # inbox.
            return replied.reply.result(timeout=(replied.timeout_millis + _GRACE_MILLIS) / 1_000)
        except (TimeoutError, CancelledError):
            raise OutcomeUnknown(f"the connection actor did not answer {name} in time") from None

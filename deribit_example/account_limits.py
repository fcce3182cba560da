"""The account's own request limits: asked for with every new session, and handed to the rate limiter."""

import logging
from concurrent.futures import Future
from typing import Protocol

import pykka

from deribit_example.actors.deribit_ws import (
    AccountLimits,
    CommandTarget,
    ConnectionEvent,
    DeribitClient,
    DeribitError,
    GetAccountLimits,
    Reconnected,
)

_log = logging.getLogger(__name__)


class LimitsTaker(Protocol):
    """Who wants to know: the client of the rate limiter."""

    def update_limits(self, limits: AccountLimits) -> None:
        """Adopt the account's own limits."""
        ...


def follow_account_limits(connection: CommandTarget, limiter: LimitsTaker) -> None:
    """Keep a limiter informed. Until the first answer, and without one, the documented limits hold."""

    def ask() -> None:
        # Told, not asked: this runs on the connection's own thread, which must not wait for itself.
        command = GetAccountLimits()
        command.reply.add_done_callback(hand_over)
        try:
            connection.tell(command)
        except pykka.ActorDeadError:
            _log.debug("the connection has ended")

    def hand_over(reply: "Future[AccountLimits]") -> None:
        try:
            limiter.update_limits(reply.result(0))
        except DeribitError as error:
            _log.info("the account's limits are unknown, the former ones hold: %s", error)
        except pykka.ActorDeadError:
            _log.debug("the rate limiter has ended")

    def on_connection(event: ConnectionEvent) -> None:
        if isinstance(event, Reconnected):
            ask()

    try:
        DeribitClient(connection).watch_connection(on_connection)
    except DeribitError as error:
        _log.warning("the account's limits will not be read: %s", error)
        return
    ask()  # the first session may have been ready before

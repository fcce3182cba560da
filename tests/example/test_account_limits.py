"""The account's own limits reach the rate limiter with every session, and nothing depends on it."""

from collections.abc import Callable

import pykka
import pytest

from deribit_example.account_limits import follow_account_limits
from deribit_example.actors.deribit_ws import (
    AccountLimits,
    ConnectionEvent,
    DeribitCommand,
    DeribitError,
    Disconnected,
    GetAccountLimits,
    NotConnected,
    RateLimit,
    Reconnected,
    RequestRefused,
    WatchConnection,
)

TEN = AccountLimits(non_matching_engine=None, matching_engine=RateLimit(rate=10, burst=30), cancel_all=None)


class Connection:
    """Answers each question for the limits with the next of its answers; None: the actor has ended."""

    def __init__(self, *answers: AccountLimits | DeribitError | None) -> None:
        self.answers = list(answers)
        self.listeners: list[Callable[[ConnectionEvent], None]] = []

    def tell(self, message: DeribitCommand) -> None:
        match message:
            case WatchConnection(listener=listener):
                self.listeners.append(listener)
                message.reply.set_result(None)
            case GetAccountLimits():
                answer = self.answers.pop(0)
                if answer is None:
                    raise pykka.ActorDeadError
                if isinstance(answer, DeribitError):
                    message.reply.set_exception(answer)
                else:
                    message.reply.set_result(answer)
            case _:
                raise AssertionError(f"nobody should ask for {message}")

    def happen(self, event: ConnectionEvent) -> None:
        for listener in self.listeners:
            listener(event)


class Taker:
    def __init__(self) -> None:
        self.taken: list[AccountLimits] = []
        self.has_ended = False

    def update_limits(self, limits: AccountLimits) -> None:
        if self.has_ended:
            raise pykka.ActorDeadError
        self.taken.append(limits)


def test_limits_are_read_at_once_and_again_with_every_session() -> None:
    connection, taker = Connection(TEN, TEN), Taker()
    follow_account_limits(connection, taker)
    assert taker.taken == [TEN]
    connection.happen(Disconnected(reason="gone", code=None))
    assert len(taker.taken) == 1
    connection.happen(Reconnected(reconnects=1))
    assert len(taker.taken) == 2


@pytest.mark.parametrize("error", [NotConnected("not yet"), RequestRefused(13021, "forbidden")])
def test_limits_that_cannot_be_read_leave_the_former_ones(error: DeribitError) -> None:
    connection, taker = Connection(error, TEN), Taker()
    follow_account_limits(connection, taker)
    assert taker.taken == []
    connection.happen(Reconnected(reconnects=0))
    assert taker.taken == [TEN]


def test_listeners_that_outlive_the_program_harm_nobody() -> None:
    connection, taker = Connection(TEN, TEN, None), Taker()
    follow_account_limits(connection, taker)
    taker.has_ended = True
    connection.happen(Reconnected(reconnects=1))
    connection.happen(Reconnected(reconnects=2))
    assert taker.taken == [TEN]


def test_a_connection_that_has_ended_is_no_reason_not_to_start() -> None:
    class Ended(Connection):
        def tell(self, message: DeribitCommand) -> None:
            raise pykka.ActorDeadError

    taker = Taker()
    follow_account_limits(Ended(), taker)
    assert taker.taken == []

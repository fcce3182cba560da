"""The messages of the mock connection besides its commands: what a test does to it, and how replies are settled."""

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import TypeAlias, TypeVar

import pykka
from attrs import field, frozen

from deribit_example.actors.deribit_ws import DeribitCommand, DeribitError, OrderSnapshot
from deribit_example.actors.deribit_ws.messaging import Request
from tests.e2e.mock_books import MockBooks

T = TypeVar("T")


@frozen(kw_only=True, eq=False)
class Release:
    """The gate of a held request was opened."""

    request: Request


@frozen(kw_only=True, eq=False)
class DropConnection:
    """Break the connection: what is held has an unknown outcome."""

    reply: Future[None] = field(factory=Future)


@frozen(kw_only=True, eq=False)
class RestoreConnection:
    """A new session."""

    reply: Future[None] = field(factory=Future)


@frozen(kw_only=True, eq=False)
class ChangeBooks:
    """Do something to the books as the exchange, and tell the listeners of the order that it returns."""

    change: Callable[[MockBooks], OrderSnapshot]
    reply: Future[OrderSnapshot] = field(factory=Future)


MockMessage: TypeAlias = DeribitCommand | Release | DropConnection | RestoreConnection | ChangeBooks


def tell_isolated(listener: Callable[[T], None], value: T) -> None:
    """Tell a listener; one that is gone harms nobody."""
    try:
        listener(value)
    except pykka.ActorDeadError:
        return  # a listener of a program that was stopped


def answer(reply: Future[T], value: T) -> None:
    """Give a reply its value, unless its owner has given up."""
    try:
        reply.set_result(value)
    except InvalidStateError:
        return  # the caller has given up


def fail(request: Request, error: DeribitError) -> None:
    """Give a request its error, unless its owner has given up."""
    try:
        request.reply.set_exception(error)
    except InvalidStateError:
        return  # the caller has given up

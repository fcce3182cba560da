"""Waiting for an actor's answer without hanging on one that has ended."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Final, Protocol

from saga_choreography.errors import NoReply
from saga_choreography.runtime.connection import tell
from saga_choreography.runtime.event_stream import Ref

_LOOK_SECONDS: Final = 0.25


class Incarnated(Protocol):
    """An actor through all its incarnations."""

    @property
    def ref(self) -> Ref:
        """The present one."""
        ...

    def await_successor(self, ended: Ref, timeout: float) -> None:
        """Return when another incarnation than `ended` is there, or after `timeout` seconds.

        Raises:
            NoReply: none will come.
        """
        ...


def answered(ref: Ref, reply: "Future[None]", timeout: float) -> bool:
    """Wait at most `timeout` seconds; False when the actor ended (or time ran out) without an answer.

    Raises:
        Whatever the actor answered with.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            reply.result(min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        except FutureTimeout:
            if reply.done():  # the answer is a timeout of the actor's own, or came this very moment
                reply.result()
                return True
            if not ref.is_alive() or time.monotonic() >= deadline:
                return False
        else:
            return True


def ask_until_answered(actor: Incarnated, message: Callable[["Future[None]"], object], timeout: float) -> None:
    """Ask an actor, and its successor if it ends meanwhile. For requests that may be repeated.

    Raises:
        NoReply: nobody answered within `timeout` seconds, or nobody is left who could.
        Whatever the actor answered with.
    """
    deadline = time.monotonic() + timeout
    while True:
        reply: Future[None] = Future()
        ref = actor.ref
        tell(ref, message(reply))
        if answered(ref, reply, deadline - time.monotonic()):
            return
        if time.monotonic() >= deadline:
            raise NoReply(f"no answer within {timeout:.0f} s; ask again with the same saga id")
        # It ended with our message in its mailbox: its successor is on its way.
        actor.await_successor(ref, deadline - time.monotonic())

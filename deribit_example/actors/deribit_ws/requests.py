"""Requests in flight on the current connection: ids, deadlines, and what a lost socket means for them.

A request that has left us and was not answered has an unknown outcome, whatever the reason. Runs on the actor's
thread only.
"""

import logging
import time
from typing import Final, final

from websockets.exceptions import WebSocketException

from deribit_example.actors.deribit_ws.business import ClockEstimate
from deribit_example.actors.deribit_ws.calls import Call, PendingCalls
from deribit_example.actors.deribit_ws.connection import Connection, now_millis
from deribit_example.actors.deribit_ws.errors import UNAUTHORIZED, NotConnected, OutcomeUnknown, error_for
from deribit_example.actors.deribit_ws.rpc import Failure, Result
from deribit_example.actors.deribit_ws.timers import Timers

logger = logging.getLogger(__name__)
AUTH: Final = "public/auth"


@final
class Requests:
    """Sends calls and settles each of them exactly once."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._pending = PendingCalls()
        self._connection: Connection | None = None
        self.clock = ClockEstimate()

    def use(self, connection: Connection) -> None:
        """Send on this connection from now on."""
        self._connection = connection

    def send(self, call: Call) -> None:
        """Send a call; its continuation hears of the outcome, now or later."""
        connection = self._connection
        remaining = call.expires_at - time.monotonic()
        if connection is None or remaining <= 0:
            call.on_error(
                NotConnected("there is no connection" if connection is None else "the timeout was over before sending")
            )
            return
        request_id = self._pending.add(call, now_millis())
        try:
            connection.send(request_id, call.method, call.params)
        except (OSError, WebSocketException) as error:
            connection.abort(f"sending failed: {type(error).__name__}")
            self._pending.take(request_id)
            call.on_error(OutcomeUnknown(f"the connection failed while sending {call.method}"))
            return
        self._timers.after(max(1, int(remaining * 1_000)), lambda: self._expire(request_id))

    def result(self, frame: Result, at_millis: int) -> None:
        """Settle a call with its result, and learn the exchange's clock from it."""
        pending = self._pending.take(frame.id)
        if pending is None:
            return
        if frame.server_micros is not None:
            self.learn_clock(pending.sent_millis, at_millis, frame.server_micros)
        pending.call.on_result(frame.result)

    def failure(self, frame: Failure) -> Call | None:
        """Settle a call with its error; returns the call instead if nobody has been told because only the token had
        expired.
        """
        pending = None if frame.id is None else self._pending.take(frame.id)
        if pending is None:
            # Without an id the exchange could not read the request; its caller times out.
            logger.warning("the exchange answered no known request with %d %s", frame.code, frame.message)
            return None
        call = pending.call
        error = error_for(frame.code, frame.message, frame.data)
        if frame.code == UNAUTHORIZED and call.method != AUTH and call.refusal is None:
            return call.again(error)
        call.on_error(error)
        return None

    def learn_clock(self, sent_millis: int, received_millis: int, server_micros: int) -> None:
        """Take a sample of the exchange's clock."""
        self.clock = self.clock.observe(
            sent_millis=sent_millis, received_millis=received_millis, server_micros=server_micros
        )

    def lose(self, reason: str) -> None:
        """The connection is gone: nobody knows what became of the calls in flight."""
        self._connection = None
        for pending in self._pending.drain():
            pending.call.on_error(
                OutcomeUnknown(f"the connection was lost before {pending.call.method} was answered ({reason})")
            )

    def _expire(self, request_id: int) -> None:
        pending = self._pending.take(request_id)
        if pending is not None:
            pending.call.on_error(OutcomeUnknown(f"{pending.call.method} was not answered in time"))

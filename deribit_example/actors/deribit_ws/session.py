"""The life of a session: dial, authenticate, set the heartbeat, subscribe, ready; and from every failure back to dial,
with backoff.

Cancel-on-disconnect is left off: a resting order belongs to a saga that the next session resumes. Runs on the
actor's thread only.
"""

import logging
import random
from collections.abc import Callable
from typing import Final, Protocol, final

from deribit_example.actors.deribit_ws import business
from deribit_example.actors.deribit_ws.calls import Call, expiry
from deribit_example.actors.deribit_ws.config import DeribitConfig
from deribit_example.actors.deribit_ws.connection import Connection, ConnectionSink, now_millis
from deribit_example.actors.deribit_ws.errors import (
    INVALID_CREDENTIALS,
    UNAUTHORIZED,
    BadCredentials,
    BadReply,
    DeribitError,
    NotConnected,
    RequestRefused,
)
from deribit_example.actors.deribit_ws.parsing import decimal_of, list_of, mapping_of
from deribit_example.actors.deribit_ws.requests import AUTH, Requests
from deribit_example.actors.deribit_ws.rpc import Failure, Json, Params
from deribit_example.actors.deribit_ws.timers import Timers
from deribit_example.actors.deribit_ws.watchers import Watchers

logger = logging.getLogger(__name__)
_CHANNELS_PER_CALL: Final = 500


class SessionOwner(Protocol):
    """Who is told about sessions."""

    def sink(self, generation: int) -> ConnectionSink:
        """Where a connection of this generation reports to."""
        ...

    def session_ready(self, reconnects: int) -> None:
        """Requests can be sent."""
        ...

    def session_lost(self, reason: str, code: int | None) -> None:
        """A session that was ready is gone."""
        ...

    def channel_missing(self, channel: str) -> None:
        """A subscription was acknowledged without this channel."""
        ...

    def credentials_rejected(self, error: BadCredentials) -> None:
        """The exchange does not accept the key."""
        ...


@final
class Session:
    """The one session; `generation` counts dials, so that reports of an older connection are recognised."""

    def __init__(
        self, config: DeribitConfig, timers: Timers, requests: Requests, watchers: Watchers, owner: SessionOwner
    ) -> None:
        self._config = config
        self._timers = timers
        self._requests = requests
        self._watchers = watchers
        self._owner = owner
        self._connection: Connection | None = None
        self._authenticating = False
        self._held: list[Call] = []
        self._subscribed: set[str] = set()
        self._token_serial = 0
        self._attempt = 0
        self._refreshes_failed = 0
        self._sessions = 0
        self._stopped = False
        self.generation = 0
        self.ready = False
        self.rejected: BadCredentials | None = None
        self.last_error: str | None = None

    @property
    def reconnects(self) -> int:
        """Sessions after the first."""
        return max(0, self._sessions - 1)

    def dial(self) -> None:
        """Start a connection attempt in the background."""
        if self._stopped:
            return
        self.generation += 1
        self._connection = Connection(self._config, self._owner.sink(self.generation))
        self._connection.start()

    def stop(self) -> None:
        """Close for good."""
        self._stopped = True
        self.ready = False
        if self._connection is not None:
            self._connection.close()
        self._requests.lose("the connection actor was stopped")
        self._fail_held()

    def opened(self, connection: Connection) -> None:
        """The socket is open: introduce ourselves."""
        self._requests.use(connection)
        self._subscribed.clear()
        self._authenticate()

    def lost(self, reason: str, code: int | None) -> None:
        """The connection is gone, or was never made: settle what was in flight and dial again after a while."""
        self._connection = None
        self._token_serial += 1
        self._authenticating = False
        was_ready, self.ready = self.ready, False
        self._requests.lose(reason)
        self._fail_held()
        self.last_error = reason
        if was_ready:
            self._owner.session_lost(reason, code)
        self._attempt += 1
        config = self._config
        # A wrong key does not heal by trying often.
        attempt = 64 if self.rejected is not None else self._attempt
        wait = business.backoff_millis(
            attempt, config.backoff_initial_millis, config.backoff_max_millis, random.random()
        )
        logger.info("no connection to the exchange (%s); next attempt in %d ms", reason, wait)
        self._timers.after(wait, self.dial)

    def failed(self, frame: Failure) -> None:
        """An error reply: settled by its call, or held until the token is renewed."""
        call = self._requests.failure(frame)
        if call is not None:
            self._held.append(call)
            self._authenticate()

    def subscribe(self, channels: tuple[str, ...], then: Callable[[], None] | None = None) -> None:
        """Subscribe, compare the acknowledgement with what was asked for, then go on."""
        now, later = channels[:_CHANNELS_PER_CALL], channels[_CHANNELS_PER_CALL:]
        if not now:
            if then is not None:
                then()
            return

        def on_result(raw: object) -> None:
            try:
                missing = business.missing_channels(now, list_of(raw, "the acknowledgement of a subscription"))
            except BadReply as error:
                self._give_up(str(error))
                return
            self._watchers.acknowledged(now, missing)
            for channel in missing:
                self._missing(channel)
            self.subscribe(later, then)

        def on_error(error: DeribitError) -> None:
            if not isinstance(error, RequestRefused):
                # Those who wait stay in line for the next session: one that silently misses its events is worse than
                # none.
                self._give_up(f"subscribing failed: {error}")
                return
            self._watchers.refused(now, error)
            for channel in now:
                self._missing(channel)
            self.subscribe(later, then)

        self._call("private/subscribe", {"channels": list(now)}, on_result, on_error)

    def _missing(self, channel: str) -> None:
        self.last_error = f"channel {channel} was not subscribed"
        self._owner.channel_missing(channel)

    def _authenticate(self) -> None:
        if self._authenticating:
            return
        self._authenticating = True
        credentials = self._config.credentials
        params: dict[str, Json] = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret.reveal(),
            "scope": self._config.scope,
        }
        self._call(AUTH, params, self._authenticated, self._authentication_failed)

    def _authenticated(self, raw: object) -> None:
        self._authenticating = False
        try:
            lifetime = decimal_of(mapping_of(raw, "the result of public/auth"), "expires_in")
        except BadReply as error:
            self._give_up(str(error))
            return
        self.rejected = None
        self._refreshes_failed = 0
        self._renew_after(business.refresh_after_millis(lifetime))
        held, self._held = self._held, []
        for call in held:
            self._requests.send(call)
        if not self.ready:
            self._call(
                "public/set_heartbeat",
                {"interval": self._config.heartbeat_seconds},
                self._heartbeat_set,
                self._handshake_failed,
            )

    def _authentication_failed(self, error: DeribitError) -> None:
        self._authenticating = False
        self._fail_held()
        self.last_error = str(error)
        if isinstance(error, RequestRefused) and error.code in (INVALID_CREDENTIALS, UNAUTHORIZED):
            self.rejected = BadCredentials(self._config.credentials.client_id, error.code, error.message)
            self.last_error = str(self.rejected)
            self._owner.credentials_rejected(self.rejected)
        if not self.ready:
            self._give_up(self.last_error)
            return
        # The old token still has a fifth of its life: try again before it ends.
        self._refreshes_failed += 1
        config = self._config
        wait = business.backoff_millis(
            self._refreshes_failed, config.backoff_initial_millis, config.backoff_max_millis, random.random()
        )
        logger.warning("renewing the token failed (%s); next attempt in %d ms", type(error).__name__, wait)
        self._renew_after(wait)

    def _heartbeat_set(self, _raw: object) -> None:
        self._subscribe_the_rest()

    def _subscribe_the_rest(self) -> None:
        # Again and again, because a channel may be asked for while a subscription is on its way.
        rest = tuple(channel for channel in self._watchers.channels() if channel not in self._subscribed)
        if not rest:
            self._become_ready()
            return
        self._subscribed.update(rest)
        self.subscribe(rest, self._subscribe_the_rest)

    def _become_ready(self) -> None:
        if self._requests.clock.round_trip_millis is None:
            self._ask_for_the_time()
        self.ready = True
        self._attempt = 0
        self._sessions += 1
        self._owner.session_ready(self.reconnects)

    def _ask_for_the_time(self) -> None:
        sent = now_millis()

        def on_result(raw: object) -> None:
            if isinstance(raw, int):
                self._requests.learn_clock(sent, now_millis(), raw * 1_000)

        def on_error(error: DeribitError) -> None:
            logger.warning("the exchange's time is unknown: %s", error)

        self._call("public/get_time", {}, on_result, on_error)

    def _handshake_failed(self, error: DeribitError) -> None:
        self._give_up(f"the handshake failed: {error}")

    def _give_up(self, reason: str) -> None:
        if self._connection is not None:
            self._connection.abort(reason)

    def _fail_held(self) -> None:
        held, self._held = self._held, []
        for call in held:
            call.on_error(call.refusal or NotConnected("the session ended while the token was renewed"))

    def _renew_after(self, millis: int) -> None:
        # Only the newest plan counts: an earlier one, or one of an older connection, is void.
        self._token_serial += 1
        serial = self._token_serial

        def renew() -> None:
            if serial == self._token_serial and self._connection is not None:
                self._authenticate()

        self._timers.after(millis, renew)

    def _call(
        self, method: str, params: Params, on_result: Callable[[object], None], on_error: Callable[[DeribitError], None]
    ) -> None:
        expires_at = expiry(self._config.handshake_timeout_millis)
        self._requests.send(
            Call(method=method, params=params, on_result=on_result, on_error=on_error, expires_at=expires_at)
        )

"""What the exchange remembers about one connection. Handlers change it; the socket's owner acts on it."""

from typing import final

from attrs import define, field


@final
@define(kw_only=True)
class ConnectionState:
    """One client connection, without its socket."""

    connection_id: int
    access_token: str | None = None
    user_id: int | None = None
    subscriptions: dict[str, None] = field(factory=dict)
    cancel_on_disconnect: bool = False
    heartbeat_seconds: int | None = None
    heartbeat_changed: bool = False
    test_request_open: bool = False
    logged_out: bool = False
    fresh_channels: list[str] = field(factory=list)

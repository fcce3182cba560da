"""Methods about the connection itself: greeting, authentication, heartbeats, subscriptions, cancel on disconnect."""

from deribit_example.exchange.accounts import Account
from deribit_example.exchange.call import Call, Method
from deribit_example.exchange.channels import parse_channel
from deribit_example.exchange.errors import RpcError, invalid_param, unauthorized
from deribit_example.exchange.wire import Json

VERSION = "1.2.26"
MIN_HEARTBEAT_SECONDS = 10
MAX_CHANNELS = 500


def hello(call: Call) -> Json:
    """Introduce the client."""
    call.params.text("client_name")
    call.params.text("client_version")
    return {"version": VERSION}


def test(call: Call) -> Json:
    """Prove to be alive; this is the answer to a test request."""
    call.state.test_request_open = False
    if call.params.text_or_none("expected_result") == "exception":
        raise RpcError(11094)
    return {"version": VERSION}


def get_time(call: Call) -> Json:
    """Server time in milliseconds."""
    return call.now_millis


def status(call: Call) -> Json:
    """Whether trading is locked."""
    return {"locked": "true" if call.venue.in_maintenance else "false", "locked_currencies": []}


def auth(call: Call) -> Json:
    """Authenticate the connection by secret, signature or refresh token."""
    params, tokens = call.params, call.venue.tokens
    connection_id, now = call.state.connection_id, call.venue.now_micros()
    grant_type = params.text("grant_type")
    if grant_type == "refresh_token":
        grant = tokens.refresh(params.text("refresh_token"), connection_id=connection_id, now_micros=now)
    else:
        account = _identify(call, grant_type)
        scope = params.text_or_none("scope") or ""
        grant = tokens.issue(account, scope, connection_id=connection_id, now_micros=now)
    user_id = grant.account.user_id
    if call.state.user_id != user_id:
        call.state.cancel_on_disconnect = call.venue.cancel_on_disconnect_default.get(user_id, False)
    call.state.access_token = grant.access_token
    call.state.user_id = user_id
    body = grant.as_json((grant.expires_at_micros - now) // 1_000_000)
    state = params.text_or_none("state")
    return body if state is None else {**body, "state": state}


def _identify(call: Call, grant_type: str) -> Account:
    params, tokens = call.params, call.venue.tokens
    if grant_type == "client_credentials":
        return tokens.by_credentials(params.text("client_id"), params.text("client_secret"))
    if grant_type == "client_signature":
        return tokens.by_signature(
            params.text("client_id"),
            params.text("signature"),
            timestamp=params.integer("timestamp"),
            nonce=params.text_or_none("nonce") or "",
            data=params.text_or_none("data") or "",
        )
    raise invalid_param("grant_type", "is not supported")


def logout(call: Call) -> Json:
    """Leave without a reply; open orders stay, whatever was said about disconnects."""
    if call.params.flag("invalidate_token", True) and call.grant is not None:
        call.venue.tokens.revoke(call.grant)
    call.state.logged_out = True
    return None


def set_heartbeat(call: Call) -> Json:
    """Ask for heartbeats and test requests every so many seconds."""
    interval = call.params.integer("interval")
    if interval < MIN_HEARTBEAT_SECONDS:
        raise invalid_param("interval", f"must be at least {MIN_HEARTBEAT_SECONDS}")
    return _heartbeat(call, interval)


def disable_heartbeat(call: Call) -> Json:
    """Stop heartbeats."""
    return _heartbeat(call, None)


def _heartbeat(call: Call, interval: int | None) -> Json:
    call.state.heartbeat_seconds = interval
    call.state.heartbeat_changed = True
    call.state.test_request_open = False
    return "ok"


def subscribe(call: Call) -> Json:
    """Listen to channels; unknown ones are silently missing from the answer."""
    names = call.params.strings("channels")
    if len(names) > MAX_CHANNELS:
        raise invalid_param("channels", f"must be at most {MAX_CHANNELS}")
    taken: list[Json] = []
    for name in dict.fromkeys(names):
        channel = parse_channel(name)
        if channel is None or (channel.instrument is not None and channel.instrument not in call.venue.engine.books):
            continue
        if channel.is_private and call.grant is None:
            continue
        if channel.topic == "ticker" and channel.interval == "raw" and call.grant is None:
            raise RpcError(13778)
        if name not in call.state.subscriptions:
            call.state.subscriptions[name] = None
            call.state.fresh_channels.append(name)
        taken.append(name)
    return taken


def unsubscribe(call: Call) -> Json:
    """Stop listening; answers with the channels that were listened to."""
    names = dict.fromkeys(call.params.strings("channels"))
    known: list[Json] = [name for name in names if name in call.state.subscriptions]
    for name in names:
        call.state.subscriptions.pop(name, None)
    return known


def unsubscribe_all(call: Call) -> Json:
    """Stop listening to anything."""
    call.state.subscriptions.clear()
    return "ok"


def enable_cancel_on_disconnect(call: Call) -> Json:
    """Cancel orders of this connection when it breaks; scope account sets the default of new connections."""
    return _cancel_on_disconnect(call, True)


def disable_cancel_on_disconnect(call: Call) -> Json:
    """Let orders survive their connection."""
    return _cancel_on_disconnect(call, False)


def _cancel_on_disconnect(call: Call, enabled: bool) -> Json:
    if call.params.choice("scope", ("connection", "account"), "connection") == "account":
        call.venue.cancel_on_disconnect_default[call.account.user_id] = enabled
    else:
        call.state.cancel_on_disconnect = enabled
    return "ok"


def get_cancel_on_disconnect(call: Call) -> Json:
    """Whether orders die with their connection."""
    scope = call.params.choice("scope", ("connection", "account"), "connection")
    if scope == "account":
        enabled = call.venue.cancel_on_disconnect_default.get(call.account.user_id, False)
    else:
        enabled = call.state.cancel_on_disconnect
    return {"scope": scope, "enabled": enabled}


def private_subscribe(call: Call) -> Json:
    """Like the public one, for known users only; raises RpcError 13009."""
    if call.grant is None:
        raise unauthorized()
    return subscribe(call)


METHODS: dict[str, Method] = {
    "public/hello": Method(hello),
    "public/test": Method(test, pool="free"),
    "public/get_time": Method(get_time),
    "public/status": Method(status),
    "public/auth": Method(auth),
    "public/set_heartbeat": Method(set_heartbeat),
    "public/disable_heartbeat": Method(disable_heartbeat),
    "public/subscribe": Method(subscribe, pool="subscribe"),
    "public/unsubscribe": Method(unsubscribe, pool="subscribe"),
    "public/unsubscribe_all": Method(unsubscribe_all, pool="subscribe"),
    "private/subscribe": Method(private_subscribe, "account", pool="subscribe"),
    "private/unsubscribe": Method(unsubscribe, "account", pool="subscribe"),
    "private/unsubscribe_all": Method(unsubscribe_all, "account", pool="subscribe"),
    "private/logout": Method(logout, "account"),
    "private/enable_cancel_on_disconnect": Method(enable_cancel_on_disconnect, "account", True),
    "private/disable_cancel_on_disconnect": Method(disable_cancel_on_disconnect, "account", True),
    "private/get_cancel_on_disconnect": Method(get_cancel_on_disconnect, "account"),
}

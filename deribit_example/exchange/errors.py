"""Every refusal the exchange can utter: one exception, one table of codes."""

from typing import final

from deribit_example.exchange.wire import Json

MESSAGES: dict[int, str] = {
    -32700: "Parse error",
    -32602: "Invalid params",
    -32601: "Method not found",
    -32600: "request entity too large",
    10000: "authorization_required",
    10001: "error",
    10002: "qty_too_low",
    10003: "order_overlap",
    10004: "order_not_found",
    10005: "price_too_low",
    10007: "price_too_high",
    10009: "not_enough_funds",
    10010: "already_closed",
    10012: "book_closed",
    10019: "locked_by_admin",
    10020: "invalid_or_unsupported_instrument",
    10021: "invalid_amount",
    10028: "too_many_requests",
    10029: "not_owner_of_order",
    10040: "retry",
    10041: "settlement_in_progress",
    10043: "price_wrong_tick",
    10047: "matching_engine_queue_full",
    10050: "lock_time_exceeded",
    10066: "too_many_concurrent_requests",
    11008: "already_filled",
    11029: "invalid_arguments",
    11030: "other_reject",
    11031: "other_error",
    11044: "not_open_order",
    11050: "bad_request",
    11051: "system_maintenance",
    11054: "post_only_reject",
    11094: "internal_server_error",
    13004: "invalid_credentials",
    13009: "unauthorized",
    13020: "not_found",
    13021: "forbidden",
    13028: "temporarily_unavailable",
    13032: "non_unique_order_label",
    13042: "cod_not_enabled",
    13503: "unavailable",
    13666: "request_cancelled_by_user",
    13777: "replaced",
    13778: "raw_subscriptions_not_available_for_unauthorized",
    13888: "timed_out",
}


@final
class RpcError(Exception):
    """A request is refused: `code`, `message` and optional `data` go on the wire as they are."""

    def __init__(self, code: int, *, detail: str = "", data: Json = None) -> None:
        self.code = code
        self.message = f"{MESSAGES.get(code, 'other_error')} {detail}".rstrip()
        self.data = data
        super().__init__(f"{self.message} ({code})")

    def as_json(self) -> dict[str, Json]:
        """The error member of a reply."""
        body: dict[str, Json] = {"code": self.code, "message": self.message}
        return body if self.data is None else {**body, "data": self.data}


def invalid_param(param: str, reason: str) -> RpcError:
    """-32602 in the shape the real exchange uses: which parameter, and what is wrong with it."""
    return RpcError(-32602, data={"param": param, "reason": reason})


def unauthorized(reason: str = "invalid_token") -> RpcError:
    """13009: no token, an expired one, or one of another connection."""
    return RpcError(13009, data={"reason": reason, "param": "token"})

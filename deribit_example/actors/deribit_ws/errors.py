"""What can go wrong between us and the exchange, and what the caller may conclude from it.

    DeribitError
    |- RequestRefused        the exchange said no: nothing was placed or changed
    |  `- SubscriptionRefused  the acknowledgement left a channel out
    |- RequestThrottled      over a limit, or busy: presumably nothing was placed, ask by label to be sure
    |- OutcomeUnknown        may or may not have been applied: ask by label before anything else
    |- NotConnected          never sent: safe to send again
    |- BadCredentials        the key or the secret is wrong
    |- ExchangeUnreachable   no usable connection within the time given
    `- BadReply              the answer to a query does not have the documented shape

The published "common error codes" disagree with what the exchange sends; the sets below follow the complete table.
"""

from enum import Enum
from typing import final

UNAUTHORIZED = 13009
INVALID_CREDENTIALS = 13004

_REFUSED = frozenset(
    # Authentication and permission.
    {10000, 13004, 13009, 13021, 10029, 13042, 13778}
    # The order itself was not acceptable.
    | set(range(10002, 10022))
    | {10043, 11029, 11030, 11054, 13020, 13032, 13888}
    # The order named by a cancel or an edit is gone, or the request was withdrawn before it reached the book.
    | {11008, 11044, 13666, 13777}
    # JSON-RPC: the request was never understood.
    | {-32000, -32600, -32601, -32602, -32700}
)
_THROTTLED = frozenset({10028, 10040, 10041, 10047, 10066, 11051})


class Verdict(Enum):
    """What an error code says about the request that it answers."""

    REFUSED = "refused"
    THROTTLED = "throttled"
    UNKNOWN = "unknown"


def classify(code: int) -> Verdict:
    """The verdict of an error code; a code that is not listed is UNKNOWN, because a guess could double an order."""
    if code in _REFUSED:
        return Verdict.REFUSED
    if code in _THROTTLED:
        return Verdict.THROTTLED
    return Verdict.UNKNOWN


class DeribitError(Exception):
    """Base of everything the connection reports to its callers."""


class RequestRefused(DeribitError):
    """The exchange refused the request; nothing was placed or changed."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(code, message, data)
        self.code = code
        self.message = message
        self.data = data

    def __str__(self) -> str:
        detail = f" ({self.data})" if self.data else ""
        return (
            f"refused by the exchange with {self.code} {self.message}{detail}; nothing was placed, correct the request"
        )


@final
class SubscriptionRefused(RequestRefused):
    """The subscription was acknowledged without this channel."""

    def __init__(self, channel: str) -> None:
        super().__init__(0, "channel missing from the acknowledgement", channel)
        self.channel = channel

    def __str__(self) -> str:
        return f"channel {self.channel!r} was not subscribed; check the instrument's name and the key's permissions"


@final
class RequestThrottled(DeribitError):
    """The exchange was over a limit or busy; the request was presumably not applied."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return (
            f"throttled by the exchange with {self.code} {self.message}; ask by label, then wait before sending again"
        )


@final
class OutcomeUnknown(DeribitError):
    """The request may or may not have been applied."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"outcome unknown: {self.reason}; look the order up by its label before doing anything else"


@final
class NotConnected(DeribitError):
    """The request was never sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"not connected: {self.reason}; the request was never sent, so it is safe to send it again"


@final
class BadCredentials(DeribitError):
    """The exchange does not accept the client id and secret."""

    def __init__(self, client_id: str, code: int, message: str) -> None:
        super().__init__(client_id, code, message)
        self.client_id = client_id
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return (
            f"the exchange rejected client id {self.client_id!r} with {self.code} {self.message}; check "
            "DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET, and that the key belongs to DERIBIT_URL (test keys do not "
            "work in production)"
        )


@final
class ExchangeUnreachable(DeribitError):
    """No usable connection could be made in the time given."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot reach {self.url}: {self.reason}; check DERIBIT_URL, the network, and the exchange's status page"


@final
class BadReply(DeribitError):
    """A frame or a result does not have the documented shape."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return (
            f"unexpected answer of the exchange: {self.problem}; the API may have changed, compare with its changelog"
        )


def error_for(code: int, message: str, data: object) -> DeribitError:
    """The exception for an error reply."""
    match classify(code):
        case Verdict.REFUSED:
            return RequestRefused(code, message, data)
        case Verdict.THROTTLED:
            return RequestThrottled(code, message)
        case Verdict.UNKNOWN:
            return OutcomeUnknown(f"the exchange answered {code} {message}")

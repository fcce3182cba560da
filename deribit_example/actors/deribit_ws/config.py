"""Where to connect and as whom. A secret is wrapped so that no log line, repr or traceback can show it by accident."""

from collections.abc import Mapping
from typing import final

from attrs import field, frozen, validators

PRODUCTION_URL = "wss://www.deribit.com/ws/api/v2"
TEST_URL = "wss://test.deribit.com/ws/api/v2"


@final
class Secret:
    """A text that prints as stars; only `reveal()` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __getstate__(self) -> object:
        raise TypeError("a Secret is not pickled: keep it in the environment, not in a file")


@frozen(kw_only=True)
class Credentials:
    """An API key of the exchange."""

    client_id: str
    client_secret: Secret


@final
class MissingSetting(Exception):
    """A required environment variable is not set, or is empty or unusable."""

    def __init__(self, variable: str, remedy: str) -> None:
        super().__init__(variable, remedy)
        self.variable = variable
        self.remedy = remedy

    def __str__(self) -> str:
        return f"environment variable {self.variable} is missing or unusable: {self.remedy}"


@frozen(kw_only=True)
class DeribitConfig:
    """Everything the connection needs. Durations are in milliseconds, except the heartbeat (the exchange counts
    seconds).
    """

    url: str
    credentials: Credentials
    scope: str | None = None
    """`None` asks for the default, connection scope: the token dies with the socket and is never reused."""
    heartbeat_seconds: int = field(default=30, validator=validators.ge(10))
    silence_millis: int | None = field(default=None, validator=validators.optional(validators.gt(0)))
    """Without any inbound frame for this long the socket is given up; `None` means three heartbeats."""
    open_timeout_millis: int = field(default=10_000, validator=validators.gt(0))
    send_timeout_millis: int = field(default=5_000, validator=validators.gt(0))
    handshake_timeout_millis: int = field(default=10_000, validator=validators.gt(0))
    backoff_initial_millis: int = field(default=200, validator=validators.gt(0))
    backoff_max_millis: int = field(default=15_000, validator=validators.gt(0))

    @property
    def allowed_silence_millis(self) -> int:
        """How long the socket may be silent, in milliseconds."""
        return self.heartbeat_seconds * 3_000 if self.silence_millis is None else self.silence_millis

    @staticmethod
    def from_env(environ: Mapping[str, str]) -> "DeribitConfig":
        """Read DERIBIT_CLIENT_ID, DERIBIT_CLIENT_SECRET and DERIBIT_URL.

        Raises:
            MissingSetting: names the variable and says what to put there.
        """
        client_id = _required(environ, "DERIBIT_CLIENT_ID", "set it to the client id of an API key")
        client_secret = _required(
            environ, "DERIBIT_CLIENT_SECRET", "set it to the secret that belongs to the client id"
        )
        url = _required(environ, "DERIBIT_URL", f"set it to {TEST_URL} for testing or {PRODUCTION_URL} for real money")
        if not url.startswith(("ws://", "wss://")):
            raise MissingSetting("DERIBIT_URL", f"it must start with ws:// or wss://, for example {TEST_URL}")
        return DeribitConfig(url=url, credentials=Credentials(client_id=client_id, client_secret=Secret(client_secret)))


def _required(environ: Mapping[str, str], variable: str, remedy: str) -> str:
    value = environ.get(variable, "").strip()
    if not value:
        raise MissingSetting(variable, remedy)
    return value

"""What the two processes say to each other: one JSON object a line, reports up, commands down.

Values are texts, whole numbers and booleans only, so a line is read back exactly. Secrets never travel here.
"""

import json
from typing import Final, TypeAlias, TypeVar, final

from attrs import asdict, fields, frozen


@final
@frozen(kw_only=True)
class Ready:
    """The program runs; `live` are the sagas (hex) it found in its journals and goes on with."""

    pid: int
    live: str = ""

    @property
    def live_sagas(self) -> tuple[str, ...]:
        return tuple(self.live.split())


@final
@frozen(kw_only=True)
class FactSeen:
    """A committed fact of a saga, as an observer sees it."""

    saga: str
    event: str
    at_millis: int
    step: str = ""
    attempt: int = 0
    sequence: int = 0
    detail: str = ""


@final
@frozen(kw_only=True)
class NoticeSeen:
    """Operational news about an actor."""

    kind: str
    peer: str
    detail: str


@final
@frozen(kw_only=True)
class TickSeen:
    """A price that was fed to the signal actor."""

    instrument: str
    price: str
    at_millis: int


@final
@frozen(kw_only=True)
class Decided:
    """What the risk manager made of a signal; `saga` is empty when it let nothing through."""

    instrument: str
    side: str
    confidence: str
    saga: str = ""
    reason: str = ""
    detail: str = ""


@final
@frozen(kw_only=True)
class ConnectionChanged:
    """The program's connection to the exchange came or went."""

    connected: bool
    detail: str


@final
@frozen(kw_only=True)
class Refused:
    """The program cannot run; it ends with `exit_code`."""

    exit_code: int
    message: str


@final
@frozen(kw_only=True)
class Stop:
    """Finish the running step, close the stores, end."""


@final
@frozen(kw_only=True)
class Inject:
    """Hand a signal to the risk manager, past the market data."""

    instrument: str
    side: str
    confidence: str
    price: str


Report: TypeAlias = Ready | FactSeen | NoticeSeen | TickSeen | Decided | ConnectionChanged | Refused
Command: TypeAlias = Stop | Inject

M = TypeVar("M")
_REPORTS: Final[tuple[type[Report], ...]] = (
    Ready,
    FactSeen,
    NoticeSeen,
    TickSeen,
    Decided,
    ConnectionChanged,
    Refused,
)
_COMMANDS: Final[tuple[type[Command], ...]] = (Stop, Inject)


@final
class BadLine(ValueError):
    """A line is no message of this protocol."""


def encode(message: Report | Command) -> str:
    """The line of a message, with its end."""
    return json.dumps({"kind": type(message).__name__, **asdict(message)}, ensure_ascii=True) + "\n"


def decode_report(line: str) -> Report:
    """The report in a line.

    Raises:
        BadLine: there is none.
    """
    return _decode(line, _REPORTS)


def decode_command(line: str) -> Command:
    """The command in a line.

    Raises:
        BadLine: there is none.
    """
    return _decode(line, _COMMANDS)


def _decode(line: str, kinds: tuple[type[M], ...]) -> M:
    try:
        body = json.loads(line)
    except ValueError as error:
        raise BadLine(f"not JSON: {line[:80]!r}") from error
    if not isinstance(body, dict):
        raise BadLine(f"not an object: {line[:80]!r}")
    kind = next((kind for kind in kinds if kind.__name__ == body.get("kind")), None)
    if kind is None:
        raise BadLine(f"unknown kind {body.get('kind')!r}")
    values = {name: value for name, value in body.items() if name != "kind"}
    declared = {attribute.name: attribute.type for attribute in fields(kind)}  # type: ignore[arg-type]  # all attrs
    for name, value in values.items():
        if type(value) is not declared.get(name):
            raise BadLine(f"{kind.__name__}.{name} cannot be {value!r}")
    try:
        return kind(**values)
    except TypeError as error:
        raise BadLine(str(error)) from error

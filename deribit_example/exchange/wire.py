"""JSON on the wire: numbers come in as `Decimal`, go out as floats; anything malformed is one `BadFrame`."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NoReturn, TypeAlias

Json: TypeAlias = "bool | int | float | str | Decimal | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]


class BadFrame(ValueError):
    """The text is not valid JSON."""


def decode(text: str | bytes) -> Json:
    """Parse one frame; raises BadFrame on anything that is not strict JSON."""
    try:
        return _as_json(json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant))
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise BadFrame(str(error)) from error


def encode(value: Json) -> str:
    """Render one frame."""
    return json.dumps(value, separators=(",", ":"), default=_plain, allow_nan=False)


def as_object(value: Json) -> JsonObject:
    """The value as an object; raises BadFrame when it is something else."""
    if isinstance(value, Mapping):
        return value
    raise BadFrame("expected an object")


def as_list(value: Json) -> Sequence[Json]:
    """The value as a list; raises BadFrame when it is something else."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value
    raise BadFrame("expected a list")


def _plain(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place on the wire")


def _refuse_constant(name: str) -> NoReturn:
    raise BadFrame(f"{name} is not JSON")


def _as_json(value: object) -> Json:
    if value is None or isinstance(value, bool | int | float | str | Decimal):
        return value
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    raise BadFrame(f"unexpected {type(value).__name__}")

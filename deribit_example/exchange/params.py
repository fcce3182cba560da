"""Typed access to the params of a request; what is missing or of the wrong kind is -32602 with its name."""

from decimal import Decimal
from typing import TypeVar, final

from deribit_example.exchange.errors import invalid_param
from deribit_example.exchange.wire import JsonObject

LARGEST = Decimal(10**15)
Choice = TypeVar("Choice", bound=str)


@final
class Params:
    """The params of one request. An explicit null counts as absent."""

    def __init__(self, values: JsonObject) -> None:
        self._values = values

    def text_or_none(self, name: str) -> str | None:
        """A string, or None when absent."""
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise invalid_param(name, "must be a string")

    def text(self, name: str) -> str:
        """A required string."""
        value = self.text_or_none(name)
        if value is None:
            raise invalid_param(name, "is required")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """A boolean; the strings true and false are taken too."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in ("true", "false"):
            return value == "true"
        raise invalid_param(name, "must be a boolean")

    def number_or_none(self, name: str) -> Decimal | None:
        """A finite number, or None when absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and abs(Decimal(value)) < LARGEST:
            return Decimal(value)
        raise invalid_param(name, "must be a number")

    def integer_or_none(self, name: str) -> int | None:
        """A whole number, or None when absent."""
        value = self.number_or_none(name)
        if value is None:
            return None
        if value != int(value):
            raise invalid_param(name, "must be an integer")
        return int(value)

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number, required unless there is a default."""
        value = self.integer_or_none(name)
        if value is not None:
            return value
        if default is None:
            raise invalid_param(name, "is required")
        return default

    def choice(self, name: str, options: tuple[Choice, ...], default: Choice) -> Choice:
        """One of the options."""
        value = self.text_or_none(name)
        if value is None:
            return default
        for option in options:
            if option == value:
                return option
        raise invalid_param(name, f"must be one of {', '.join(options)}")

    def strings(self, name: str) -> list[str]:
        """A required list of strings."""
        value = self._values.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid_param(name, "must be a list of strings")
        return [item for item in value if isinstance(item, str)]

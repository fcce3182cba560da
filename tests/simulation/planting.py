"""How a fault is planted."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

Plant: TypeAlias = Callable[[pytest.MonkeyPatch], None]


def ignore(*_: object, **__: object) -> None:
    """What a fault does when it does nothing."""

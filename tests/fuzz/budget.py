"""How many examples a property gets: few in every run, a hundred times as many under the profile `soak`.

HYPOTHESIS_PROFILE=soak chooses it; HYPOTHESIS_SOAK_FACTOR=10 makes it shorter.
"""

import os
from collections.abc import Callable
from typing import Final, TypeVar

from hypothesis import HealthCheck, settings

Test = TypeVar("Test", bound=Callable[..., object])

SOAK: Final = "soak"
SOAK_FACTOR: Final = int(os.environ.get("HYPOTHESIS_SOAK_FACTOR", "100"))


def is_soak() -> bool:
    """Whether the environment asks for the long run: HYPOTHESIS_PROFILE=soak."""
    return os.environ.get("HYPOTHESIS_PROFILE") == SOAK


def examples(count: int) -> Callable[[Test], Test]:
    """`count` examples in an ordinary run; no deadline, for the machine may be busy."""
    wanted = settings(
        max_examples=count * (SOAK_FACTOR if is_soak() else 1),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )

    def limit(test: Test) -> Test:
        limited: Test = wanted(test)
        return limited

    return limit

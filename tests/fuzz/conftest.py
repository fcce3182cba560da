"""The profile `soak` of this folder, and a longer time limit for it."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.fuzz.budget import SOAK, SOAK_FACTOR, is_soak

HERE = Path(__file__).parent
SOAK_SECONDS = 3600

settings.register_profile(SOAK, max_examples=100 * SOAK_FACTOR, deadline=None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A property that runs a hundred times longer may take longer."""
    if is_soak():
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.timeout(SOAK_SECONDS))

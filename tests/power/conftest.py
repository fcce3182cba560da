"""A directory for media and images: in memory where there is one, for thousands of small disks are laid out."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.power.tracing import require_strace

_MEMORY = Path("/dev/shm")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """An empty directory. Skips the test where programs cannot be traced."""
    require_strace()
    try:
        made = Path(tempfile.mkdtemp(prefix="saga-power-", dir=_MEMORY))
    except OSError:  # no such file system here, or it is not ours to write to
        made = tmp_path
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a line of figures, captured or not."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n    {line}", flush=True)

    return say

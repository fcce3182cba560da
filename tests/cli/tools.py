"""Running the commands, and programs that look at what they wrote."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from click.testing import CliRunner, Result

import saga_choreography
from saga_choreography.cli.commands import commands

LIMIT: Final = 300.0
"""Seconds a program may take on a busy machine."""


def run(*arguments: str) -> Result:
    """A command, in this process."""
    return CliRunner().invoke(commands, arguments, catch_exceptions=False)


def run_well(*arguments: str) -> str:
    """A command that is to end well; what it said."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


@contextmanager
def modules_of(folder: Path) -> Iterator[None]:
    """Modules in `folder` can be imported until the block ends, and are forgotten then."""
    before = set(sys.modules)
    path = [*sys.path]
    here = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        sys.path[:] = path
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file is None or Path(file).is_relative_to(folder):
                del sys.modules[name]


_OURS: Final = frozenset({"CI", "MYPYPATH", "PYTEST_ADDOPTS", "PYTHONPATH"})
"""What our own run was told: pytest, for one, says more where it finds CI."""


def environment(link: Path) -> Mapping[str, str]:
    """Where programs find the library: installed, or else this checkout, by way of the folder `link`."""
    kept = {key: value for key, value in os.environ.items() if key not in _OURS}
    library = Path(saga_choreography.__file__).parent
    if library.is_relative_to(sysconfig.get_path("purelib")):
        return kept
    link.mkdir(exist_ok=True)
    if not (link / library.name).exists():
        (link / library.name).symlink_to(library)
    return {**kept, "PYTHONPATH": str(link), "MYPYPATH": str(link)}


def python(arguments: Sequence[str], folder: Path, library: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """`python ARGUMENTS` in a folder."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=library,
        timeout=LIMIT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def pytest_in(folder: Path, library: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The tests in a folder, with no package but pytest and what the library itself stands on."""
    extras = ("click", "jinja2", "hypothesis", "pytest_timeout", "rich", "websockets")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({extras!r})); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    )
    plain = {**library, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return python(["-c", code, "-q", "-p", "no:cacheprovider", *arguments], folder, plain)

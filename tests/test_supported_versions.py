"""What setup.cfg promises to run with is what the environments of tox.ini run with, at both ends."""

import os
import re
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).resolve().parents[1]
EXTRAS_FOR_USERS: Final = ("cli", "example")


def setup_cfg(section: str, key: str) -> list[str]:
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser[section][key].split("\n")[1:]


def bounds() -> dict[str, Version]:
    """The lower bound of everything a user needs, and of mypy."""
    extras = [setup_cfg("options.extras_require", extra) for extra in EXTRAS_FOR_USERS]
    lines = [*setup_cfg("options", "install_requires"), *(line for extra in extras for line in extra)]
    lines += [line for line in setup_cfg("options.extras_require", "dev") if line.startswith("mypy")]
    found: dict[str, Version] = {}
    for line in lines:
        wanted = Requirement(line)
        lower = [Version(part.version) for part in wanted.specifier if part.operator == ">="]
        assert len(lower) == 1, f"{line!r} has no lower bound"
        found[canonicalize_name(wanted.name)] = lower[0]
    return found


def pins() -> dict[str, Version]:
    text = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w-]+)==(\S+)$", text, re.MULTILINE)
    return {canonicalize_name(name): Version(number) for name, number in pinned}


def environments() -> set[str]:
    """The environments of tox.ini, written out."""
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    names = set(parser["tox"]["env_list"].split())
    while folded := next((name for name in names if "{" in name), None):
        names.remove(folded)
        before, choices, after = re.split(r"\{(.*?)\}", folded, maxsplit=1)
        names |= {before + choice + after for choice in choices.split(",")}
    return names


def test_the_lowest_versions_are_the_bounds_of_setup_cfg() -> None:
    assert pins() == bounds()


def test_every_supported_interpreter_is_run_with_the_lowest_and_the_latest_versions() -> None:
    classifiers = re.findall(r":: (3\.\d+)$", "\n".join(setup_cfg("metadata", "classifiers")), re.MULTILINE)
    interpreters = ["py" + number.replace(".", "") for number in classifiers]
    assert len(interpreters) >= 4
    kinds = [(kind, age) for kind in ("", "mypy-") for age in ("lowest", "latest")]
    assert {f"{kind}{python}-{age}" for python in interpreters for kind, age in kinds} <= environments()


def test_every_supported_interpreter_is_checked_by_pyright() -> None:
    classifiers = re.findall(r":: (3\.\d+)$", "\n".join(setup_cfg("metadata", "classifiers")), re.MULTILINE)
    assert {"pyright-lowest", "pyright-latest"} <= environments()
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    assert re.findall(r"pyright --pythonversion (\S+)", tox) == classifiers


@pytest.mark.checkers  # mypy is one of them
@pytest.mark.skipif(os.environ.get("DEPENDENCIES") != "lowest", reason="not an environment of the lowest versions")
def test_this_environment_has_the_lowest_versions() -> None:
    wrong = {}
    for name, lowest in pins().items():
        try:
            if Version(version(name)) != lowest:
                wrong[name] = version(name)
        except PackageNotFoundError:
            assert name == "mypy", f"{name} is not installed"
    assert wrong == {}

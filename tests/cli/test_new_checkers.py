"""What is written passes mypy --strict, pyright and ruff untouched, and its mistakes are found by them.

Everything is written into one folder, for each checker is slow to start. Run with `-m generated`.
"""

import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from saga_choreography.cli.scaffold.layout import Atom, Either, Subscript, TypeExpr, bracketed_names, type_alias
from saga_choreography.cli.scaffold.names import LONGEST
from tests.cli.shapes import PARTICIPANTS, write_shop
from tests.cli.tools import environment, modules_of, python, run_well

pytestmark = [pytest.mark.generated, pytest.mark.timeout(600)]

WIDTHS: Final = (88, 100, 120)
PROJECTS: Final = ("p", "l" * LONGEST)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shops with a participant of every shape, and projects, each with one participant more."""
    folder = tmp_path_factory.mktemp("written")
    for width in WIDTHS:
        shop = folder / f"shop{width}"
        shop.mkdir()
        write_shop(shop, line_length=width)
        with modules_of(shop):
            for name, step in PARTICIPANTS.items():
                add(name, step, "shop.sagas:SHOP_WORKFLOW", "shop/actors")
    for name in PROJECTS:
        run_well("new", "project", name, "--directory", str(folder))
        with modules_of(folder / name):
            add("clerk", "charge_card", f"{name}.saga.types:ORDER_WORKFLOW", f"{name}/actors")
    return folder


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return environment(tmp_path_factory.mktemp("library"))


def add(name: str, step: str, workflow: str, directory: str) -> None:
    run_well("new", "participant", name, "--workflow", workflow, "--step", step, "--directory", directory)


def mypy(folder: Path, library: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return python(["-m", "mypy", "--no-error-summary", *arguments], folder, library)


def pyright(folder: Path, library: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return python(["-m", "pyright", "--pythonpath", sys.executable, *arguments], folder, library)


def test_ruff_finds_nothing_to_do(folder: Path, library: Mapping[str, str]) -> None:
    written = [*(f"shop{width}/shop/actors" for width in WIDTHS), *PROJECTS]
    for command in (["check"], ["format", "--check", "--diff"]):
        ended = python(["-m", "ruff", *command, "--no-cache", *written], folder, library)
        assert ended.returncode == 0, ended.stdout


def test_ruff_finds_nothing_to_do_with_types_of_any_size(tmp_path: Path, library: Mapping[str, str]) -> None:
    chance = random.Random(20)
    for width in (*WIDTHS, 200):
        (tmp_path / str(width)).mkdir()
        (tmp_path / str(width) / "ruff.toml").write_text(f"line-length = {width}\n")
        aliases = [type_alias(f"X{number}", any_type(chance, 3), width) for number in range(300)]
        (tmp_path / str(width) / "aliases.py").write_text("\n".join(aliases) + "\n")
        classes = [
            bracketed_names(f"class C{number}", [a_name(chance) for _ in range(chance.randint(1, 4))], ":", width)
            for number in range(100)
        ]
        (tmp_path / str(width) / "classes.py").write_text("\n\n\n".join(f"{one}\n    pass" for one in classes) + "\n")
    ended = python(["-m", "ruff", "format", "--check", "--diff", "--no-cache"], tmp_path, library)
    assert ended.returncode == 0, ended.stdout


def a_name(chance: random.Random) -> str:
    return chance.choice("ABC") + "a" * chance.choice([1, 3, 8, 15, 25, 40])


def any_type(chance: random.Random, depth: int) -> TypeExpr:
    kind = chance.random()
    if depth == 0 or kind < 0.4:
        return Atom(chance.choice([a_name(chance), a_name(chance), "int", "None"]))
    parts = [any_type(chance, depth - 1) for _ in range(chance.randint(1, 4))]
    if kind < 0.8:
        return Subscript(chance.choice(["tuple", "dict", "Box" + "x" * 10]), tuple(parts))
    members = [member for part in parts for member in (part.items if isinstance(part, Either) else (part,))]
    return Either(tuple(members)) if len(members) > 1 else members[0]


def test_mypy_finds_nothing_in_participants(folder: Path, library: Mapping[str, str]) -> None:
    ended = mypy(folder / "shop88", library, "--strict", "--warn-unreachable", "shop")
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("name", PROJECTS)
def test_mypy_finds_nothing_in_a_project_with_its_own_settings(
    folder: Path, library: Mapping[str, str], name: str
) -> None:
    ended = mypy(folder / name, library)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("name", ["shop88", *PROJECTS])
def test_pyright_finds_nothing(folder: Path, library: Mapping[str, str], name: str) -> None:
    ended = pyright(folder / name, library)
    assert ended.returncode == 0, ended.stdout
    assert "0 errors, 0 warnings" in ended.stdout


RAISE: Final = 'raise NotWritten("execute")'
MISTAKES: Final[Mapping[str, tuple[str, str, str]]] = {
    "forgets_to_return": ("business.py", RAISE, "print(step_input)"),
    "returns_another_output": ("business.py", RAISE, "return StepOutput(step_input, Release('3'))"),
    "returns_another_undo": ("business.py", RAISE, "return StepOutput(Stock('3'), None)"),
    "forgets_the_undo": ("saga/participant.py", "def compensate_step(", "def undo_step("),
    "is_of_another_step": ("saga/participant.py", "RESERVE", "RATE"),
    "forgets_a_message": ("messaging.py", "GetStats | SagaEvent", "GetStats | int | SagaEvent"),
    "leaves_the_mark_of_the_unwritten": ("business.py", "class NotWritten(", "class Written("),
}


@pytest.mark.parametrize("check", [mypy, pyright], ids=["mypy", "pyright"])
def test_a_mistake_in_what_is_still_to_be_written_is_found_by_checkers(
    library: Mapping[str, str],
    tmp_path: Path,
    check: Callable[..., "subprocess.CompletedProcess[str]"],
) -> None:
    write_shop(tmp_path, line_length=88)
    with modules_of(tmp_path):
        for name in MISTAKES:
            add(name, "reserve", "shop.sagas:SHOP_WORKFLOW", "shop/actors")
    for name, (file, before, after) in MISTAKES.items():
        text = (tmp_path / "shop/actors" / name / file).read_text()
        assert before in text
        (tmp_path / "shop/actors" / name / file).write_text(text.replace(before, after))
    ended = check(tmp_path, library, *(["--strict"] if check is mypy else []), "shop")
    assert ended.returncode == 1, ended.stdout
    errors = [line for line in ended.stdout.splitlines() if "error:" in line]
    for name in MISTAKES:
        assert any(f"shop/actors/{name}/" in line for line in errors), f"{name} is not found:\n{ended.stdout}"

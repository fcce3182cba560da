"""`new project`: a program that runs as it is written."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from saga_choreography.cli.scaffold.names import LONGEST
from tests.cli.tools import environment, pytest_in, python, run_well

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects")
    for name in ("lamps", "l" * LONGEST):
        run_well("new", "project", name, "--directory", str(folder))
    return folder


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return environment(tmp_path_factory.mktemp("library"))


def test_it_has_everything_a_project_needs(folder: Path) -> None:
    files = {path.relative_to(folder / "lamps").as_posix() for path in (folder / "lamps").rglob("*") if path.is_file()}
    assert files >= {
        ".gitignore",
        "README.md",
        "lamps/__main__.py",
        "lamps/actors/cashier/architecture.md",
        "lamps/actors/warehouse/saga/state_ext.py",
        "lamps/py.typed",
        "lamps/saga/types.py",
        "mypy.ini",
        "pyproject.toml",
        "tests/test_order.py",
        "tests/test_restart.py",
        "tox.ini",
    }
    for file in files:
        text = (folder / "lamps" / file).read_text()
        assert "{" + "{" not in text
        assert "TODO" not in text


@pytest.mark.parametrize("name", ["lamps", "l" * LONGEST])
def test_its_own_tests_pass_untouched_without_any_extra(folder: Path, library: Mapping[str, str], name: str) -> None:
    ended = pytest_in(folder / name, library)
    assert ended.returncode == 0, ended.stdout
    assert "14 passed" in ended.stdout


@pytest.mark.parametrize(("quantity", "code", "said"), [("2", 0, "paid: 3998"), ("500", 1, "nothing is left of it")])
def test_it_runs(folder: Path, library: Mapping[str, str], quantity: str, code: int, said: str) -> None:
    ended = python(["-m", "lamps", "--quantity", quantity], folder / "lamps", library)
    assert ended.returncode == code, ended.stdout
    assert said in ended.stdout
    assert (folder / "lamps" / "state").is_dir()


def test_its_restart_test_fails_when_a_step_forgets_its_key(
    folder: Path, library: Mapping[str, str], tmp_path: Path
) -> None:
    shutil.copytree(folder / "lamps", tmp_path / "lamps")
    steps = tmp_path / "lamps/lamps/actors/cashier/saga/participant.py"
    text = steps.read_text()
    assert "context.idempotency_key" in text
    steps.write_text("import uuid\n" + text.replace("context.idempotency_key", "uuid.uuid4().hex"))
    ended = pytest_in(tmp_path / "lamps", library, "tests/test_restart.py")
    assert ended.returncode == 1
    assert "test_a_killed_order_is_paid_once[after_call@Cashier-2]" in ended.stdout


def test_its_undo_test_fails_when_an_undo_does_nothing(
    folder: Path, library: Mapping[str, str], tmp_path: Path
) -> None:
    shutil.copytree(folder / "lamps", tmp_path / "lamps")
    steps = tmp_path / "lamps/lamps/actors/warehouse/saga/participant.py"
    text = steps.read_text()
    assert "self.ledger.cancel(undo.reserved_as)" in text
    steps.write_text(text.replace("self.ledger.cancel(undo.reserved_as)", "return"))
    ended = pytest_in(tmp_path / "lamps", library, "tests/test_order.py")
    assert ended.returncode == 1
    assert "FAILED tests/test_order.py::test_a_refused_card_releases_the_stock" in ended.stdout

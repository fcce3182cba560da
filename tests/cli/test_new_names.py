"""Names for participants and projects."""

from pathlib import Path

import pytest

from saga_choreography.cli.faults import NameFault
from saga_choreography.cli.scaffold.names import LONGEST, check_name, class_name
from tests.cli.tools import run

BAD = {
    "": "empty",
    "a/b": "a path",
    "a\\b": "a path",
    "..": "lower-case words",
    "größe": "other letters",
    "Order": "lower-case words",
    "2fast": "lower-case words",
    "_hidden": "lower-case words",
    "two__words": "lower-case words",
    "trailing_": "lower-case words",
    "with-dash": "lower-case words",
    "with space": "lower-case words",
    "new\nline": "lower-case words",
    "a" * (LONGEST + 1): "41 characters",
    "class": "keyword",
    "match": "keyword",
    "queue": "standard library",
    "saga_choreography": "needs",
    "deribit_example": "needs",
    "pykka": "needs",
    "tests": "needs",
    "saga_system": "SagaSystem",
    "warning": "Warning",
    "get_stats": "GetStats",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_name_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(NameFault) as caught:
        check_name(name, "participant")
    assert repr(name) in caught.value.message
    assert BAD[name] in caught.value.message


@pytest.mark.parametrize("command", ["participant", "project"])
@pytest.mark.parametrize("name", ["class", "../up", "größe"])
def test_a_bad_name_ends_the_command_and_writes_nothing(command: str, name: str, tmp_path: Path) -> None:
    options = ["--workflow", "nowhere:W", "--step", "s"] if command == "participant" else []
    result = run("new", command, name, "--directory", str(tmp_path), *options)
    assert result.exit_code == 4
    assert f"cannot be the name of a {command}" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "order_placer", "desk2", "a_1_b", "x" * LONGEST])
def test_a_good_name_is_kept(name: str) -> None:
    assert check_name(name, "project") == name


def test_a_class_is_called_as_its_package() -> None:
    assert class_name("order_placer") == "OrderPlacer"
    assert class_name("desk_2b") == "Desk2b"

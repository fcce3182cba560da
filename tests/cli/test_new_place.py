"""Where a package is to stand decides how it is imported and how wide its lines are."""

from pathlib import Path

import pytest

from saga_choreography.cli.faults import NameFault, PlaceFault
from saga_choreography.cli.scaffold.imports import Section
from saga_choreography.cli.scaffold.place import place_in


def package(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").touch()
    return folder


def test_a_package_is_imported_by_way_of_the_packages_around_it(tmp_path: Path) -> None:
    package(tmp_path / "src" / "shop")
    place = place_in(package(tmp_path / "src" / "shop" / "actors"), "desk")
    assert place.package == "shop.actors.desk"
    assert place.folder == tmp_path / "src" / "shop" / "actors" / "desk"


def test_a_package_in_a_plain_folder_is_imported_by_its_own_name(tmp_path: Path) -> None:
    assert place_in(tmp_path, "desk").package == "desk"


def test_a_folder_that_cannot_be_imported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NameFault, match="'my-shop' is no identifier"):
        place_in(package(tmp_path / "my-shop"), "desk")


@pytest.mark.parametrize("suffix", [".py", ".pyi"])
def test_a_module_of_the_name_is_not_hidden(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"desk{suffix}").touch()
    with pytest.raises(PlaceFault, match=f"desk{suffix} would be hidden"):
        place_in(tmp_path, "desk")


@pytest.mark.parametrize(
    ("file", "text", "width"),
    [
        ("pyproject.toml", "[tool.ruff]\nline-length = 100\n", 100),
        ("ruff.toml", "line-length = 120\n", 120),
        (".ruff.toml", "line-length = 99\n", 99),
        ("ruff.toml", "indent-width = 4\n", 88),
        ("ruff.toml", "line-length = 60\n", 88),
        ("pyproject.toml", "[tool.other]\nline-length = 100\n", 88),
    ],
)
def test_lines_are_as_wide_as_the_project_tells_ruff(tmp_path: Path, file: str, text: str, width: int) -> None:
    (tmp_path / file).write_text(text)
    assert place_in(package(tmp_path / "shop"), "desk").width == width


def test_settings_that_cannot_be_read_are_an_error_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff")
    with pytest.raises(PlaceFault, match=r"pyproject\.toml cannot be read"):
        place_in(tmp_path, "desk")


def test_modules_beside_the_project_settings_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text('src = ["lib"]\n')
    package(tmp_path / "lib" / "mall")
    (tmp_path / "lib" / "single.py").touch()
    place = place_in(package(tmp_path / "shop"), "desk")
    found = {name: place.section_of(name) for name in ("os.path", "shop.deep", "mall", "single", "pykka")}
    assert found == {
        "os.path": Section.STANDARD,
        "shop.deep": Section.FIRST_PARTY,
        "mall": Section.FIRST_PARTY,
        "single": Section.FIRST_PARTY,
        "pykka": Section.THIRD_PARTY,
    }

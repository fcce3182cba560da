"""Files are put in place all at once or not at all."""

import errno
import os
from pathlib import Path

import pytest

from saga_choreography.cli.faults import PlaceFault, TakenFault
from saga_choreography.cli.scaffold import writing
from saga_choreography.cli.scaffold.writing import write_tree
from tests.cli.tools import run

FILES = {"a.py": "a = 1\n", "deep/er/b.py": "b = 2\n", "c.md": "ünï\n"}


def test_all_files_are_there_as_they_were_rendered(tmp_path: Path) -> None:
    write_tree(tmp_path / "made", FILES)
    assert {
        path.relative_to(tmp_path / "made").as_posix(): path.read_bytes().decode()
        for path in (tmp_path / "made").rglob("*.*")
    } == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_tree(tmp_path / "made", FILES)
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "made" / "a.py").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("nth", range(len(FILES)))
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "no space left"), KeyboardInterrupt()], ids=["full", "stopped"]
)
def test_a_write_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int, error: BaseException
) -> None:
    written: list[Path] = []
    write = writing._write

    def fail_at_nth(path: Path, text: str) -> None:
        if len(written) == nth:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text[:1])
            raise error
        write(path, text)
        written.append(path)

    monkeypatch.setattr(writing, "_write", fail_at_nth)
    with pytest.raises(PlaceFault if isinstance(error, OSError) else KeyboardInterrupt):
        write_tree(tmp_path / "made", FILES)
    assert len(written) == nth
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_with_a_code_that_names_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "no space left", str(path))

    monkeypatch.setattr(writing, "_write", full)
    result = run("new", "project", "made", "--directory", str(tmp_path))
    assert result.exit_code == 7
    assert f"{tmp_path / 'made'} cannot be written" in result.output
    assert "nothing was left behind" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file", "broken link"])
def test_what_is_there_is_never_written_over(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "made"
    if kind == "folder":
        target.mkdir()
    elif kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to(tmp_path / "nowhere")
    result = run("new", "project", "made", "--directory", str(tmp_path))
    assert result.exit_code == 5
    assert f"{target} exists already" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert kind != "file" or target.read_text() == "mine"


def test_a_folder_that_comes_into_being_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = writing._write

    def somebody_else_is_faster(path: Path, text: str) -> None:
        write(path, text)
        (tmp_path / "made").mkdir(exist_ok=True)
        (tmp_path / "made" / "theirs").write_text("theirs")

    monkeypatch.setattr(writing, "_write", somebody_else_is_faster)
    with pytest.raises(TakenFault, match="meanwhile"):
        write_tree(tmp_path / "made", FILES)
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "theirs"]


def test_a_directory_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    result = run("new", "project", "made", "--directory", str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert "does not exist" in result.output

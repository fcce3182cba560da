"""Links of the documents resolve, and the commands they name exist."""

import os
from pathlib import Path

import pytest

from tests.docs.documents import PAGES, ROOT, headings, named_commands, relative_links, title


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in relative_links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), f"{title(page)}: {link} leaves the repository"
        assert target.exists(), f"{title(page)}: {link} leads nowhere"
        assert not anchor or anchor in headings(target), f"{title(page)}: {link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_every_named_command_exists(page: Path) -> None:
    for file in named_commands(page):
        assert file.is_file(), f"{title(page)} names {file.relative_to(ROOT)}"
        assert file.suffix or os.access(file, os.X_OK), f"{file.name} cannot be executed"


def test_the_readme_names_the_two_commands() -> None:
    assert {ROOT / "scripts" / "demo", ROOT / "scripts" / "test"} <= set(named_commands(ROOT / "README.md"))


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_no_page_names_a_path_of_somebodys_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for path in ("/home/", "/Users/", "/tmp/", "/root/", str(ROOT)):
        assert path not in text

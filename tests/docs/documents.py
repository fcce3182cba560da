"""What the documents hold: code blocks, links, commands. Read from the checkout, also when the wheel is tested."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

from attrs import frozen

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = tuple(sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md")]))
NOT_RUN: Final = "# not run"
"""First line of a block that cannot run; the reason follows on the same line."""

_BLOCK: Final = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCED: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_NAMED: Final = re.compile(r"# (\w+\.py)\n")
_SCRIPT: Final = re.compile(r"(?<![\w/])scripts/\w+")
_MODULE: Final = re.compile(r"python -m ([\w.]+)")
_FILE: Final = re.compile(r"python ([\w/]+\.py)")


@final
@frozen(kw_only=True)
class Block:
    """One python block of a page; `name` is the file it says to be saved as."""

    page: Path
    name: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.name}"


def blocks() -> Iterator[Block]:
    """All python blocks. The README's first one is `trip.py`; others name themselves in their first line."""
    for page in PAGES:
        for number, code in enumerate(_BLOCK.findall(page.read_text(encoding="utf-8"))):
            named = _NAMED.match(code)
            is_first = page.name == "README.md" and number == 0
            name = "trip.py" if is_first else named.group(1) if named else f"{page.stem}_{number}.py"
            yield Block(page=page, name=name, code=code)


def relative_links(page: Path) -> Iterator[str]:
    """Targets of the links of a page that stay in the repository."""
    prose = _FENCED.sub("", page.read_text(encoding="utf-8"))
    for target in _LINK.findall(prose):
        if "://" not in target and not target.startswith("mailto:"):
            yield target


def headings(page: Path) -> frozenset[str]:
    """The anchors a page offers."""
    prose = _FENCED.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)


def named_commands(page: Path) -> Iterator[Path]:
    """The files that run when somebody types the commands a page names."""
    text = page.read_text(encoding="utf-8")
    for script in _SCRIPT.findall(text):
        yield ROOT / script
    for module in _MODULE.findall(text):
        folder = ROOT.joinpath(*module.split("."))
        yield folder / "__main__.py" if folder.is_dir() else folder.with_suffix(".py")
    for file in _FILE.findall(text):
        if "/" in file:
            yield ROOT / file

"""What the documents hold: code blocks, links, commands. Read from the checkout, also when the wheel is tested."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

from attrs import evolve, frozen

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = tuple(sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")]))

_FENCE: Final = re.compile(r"^(?P<fence>```+)(?P<language>[^\n]*)\n(?P<code>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
_REMARK: Final = re.compile(r"<!-- (?P<remark>(?:(?!-->).)*) -->\n+\Z", re.DOTALL)
_NAMED: Final = re.compile(r"# (?P<name>\w+\.py)(?P<goes_on>, continued)?(?:: only type-checked, (?P<reason>.+))?\n")
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SCRIPT: Final = re.compile(r"(?<![\w/])scripts/\w+")
_MODULE: Final = re.compile(r"python -m ([\w.]+)")
_FILE: Final = re.compile(r"python ([\w/]+\.py)")


@final
@frozen(kw_only=True)
class Fence:
    """A fenced block as it stands. `remark` is the HTML comment right above it: readers of a page do not see it."""

    page: Path
    number: int
    language: str
    code: str
    remark: str

    def __str__(self) -> str:
        return f"{title(self.page)}:{self.number}"


@final
@frozen(kw_only=True)
class Block:
    """A python file that a page asks its reader to write; `not_run` is the reason why it is only type-checked."""

    page: Path
    name: str
    code: str
    not_run: str = ""

    def __str__(self) -> str:
        return f"{title(self.page)}:{self.name}"


def title(page: Path) -> str:
    """How a page is called in the ids of tests."""
    return str(page.relative_to(ROOT))


def fences(page: Path, *languages: str) -> Iterator[Fence]:
    """The fenced blocks of a page, of the given languages or all."""
    text = page.read_text(encoding="utf-8")
    for number, found in enumerate(_FENCE.finditer(text)):
        remark = _REMARK.search(text[: found.start()])
        fence = Fence(
            page=page,
            number=number,
            language=found["language"],
            code=found["code"],
            remark=remark["remark"] if remark else "",
        )
        if not languages or fence.language in languages:
            yield fence


def blocks() -> Iterator[Block]:
    """All python files of the documents. The README's first one is `trip.py`; others name themselves in their first
    line, and `# name.py, continued` goes on with the file of that name on the same page."""
    for page in PAGES:
        written: dict[str, Block] = {}
        for number, fence in enumerate(fences(page, "python")):
            block, goes_on = _block(fence, number)
            if goes_on:
                before = written[block.name]
                block = evolve(before, code=f"{before.code}\n\n{block.code}")
            elif block.name in written:
                raise AssertionError(f"{block} is written twice")
            written[block.name] = block
        yield from written.values()


def _block(fence: Fence, number: int) -> tuple[Block, bool]:
    named = _NAMED.match(fence.code)
    if title(fence.page) == "README.md" and number == 0:
        return Block(page=fence.page, name="trip.py", code=fence.code), False
    if named is None:
        return Block(page=fence.page, name=f"{fence.page.stem}_{number}.py", code=fence.code), False
    if named["goes_on"]:
        return Block(page=fence.page, name=named["name"], code=fence.code[named.end() :].lstrip("\n")), True
    return Block(page=fence.page, name=named["name"], code=fence.code, not_run=named["reason"] or ""), False


def relative_links(page: Path) -> Iterator[str]:
    """Targets of the links of a page that stay in the repository."""
    for target in _LINK.findall(prose(page)):
        if "://" not in target and not target.startswith("mailto:"):
            yield target


def headings(page: Path) -> frozenset[str]:
    """The anchors a page offers."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)


def prose(page: Path) -> str:
    """The text of a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def named_commands(page: Path) -> Iterator[Path]:
    """The files that run when somebody types the commands a page names."""
    text = page.read_text(encoding="utf-8")
    for script in _SCRIPT.findall(text):
        yield ROOT / script
    for module in _MODULE.findall(text):
        if module.partition(".")[0] in ("saga_choreography", "deribit_example", "tests", "bench"):
            folder = ROOT.joinpath(*module.split("."))
            yield folder / "__main__.py" if folder.is_dir() else folder.with_suffix(".py")
    for file in _FILE.findall(text):
        if "/" in file:
            yield ROOT / file

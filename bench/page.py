"""Puts figures into the page: `python -m bench.page FILE.json ...` rewrites the marked tables of docs/performance.md.

A table stands between `<!-- bench: NAME -->` and `<!-- end: NAME -->` and is never edited by hand. Tables of sections
that the files lack stay as they are, with the conditions that they were measured under.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.answer import Row
from bench.report import NoReport, Reported, read

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
_MARKED: Final = re.compile(r"<!-- bench: ([\w-]+) -->\n(.*?)<!-- end: \1 -->", re.DOTALL)


class NoTable(ValueError):
    """A section has no marked place in the page."""


def names(page: str) -> tuple[str, ...]:
    """The sections that have a place, in order."""
    return tuple(found[1] for found in _MARKED.finditer(page))


def table(section: Reported) -> str:
    """A section as Markdown."""
    return "\n".join(_lines(section)) + "\n"


def _lines(section: Reported) -> Iterator[str]:
    if section.rows:
        yield _cells(section.header)
        yield _cells(("---", *("---:" for _ in section.header[1:])))
        yield from map(_cells, section.rows)
        yield ""
    if section.verdicts:
        yield _cells(("Target", "measured", "limit", "reached"))
        yield _cells(("---", "---:", "---:", "---"))
        for verdict in section.verdicts:
            reached = "yes" if verdict.holds else "**no**"
            yield _cells((verdict.what, f"{verdict.value:,.2f}", verdict.limit, reached))
        yield ""
    for note in section.notes:
        yield note
        yield ""
    yield f"*{section.conditions}*"


def _cells(cells: Row) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def filled(page: str, report: Mapping[str, Reported]) -> str:
    """The page with the tables of a report.

    Raises:
        NoTable: the page has no place for a section.
    """
    homeless = set(report) - set(names(page))
    if homeless:
        raise NoTable(
            f"the page has no place for {', '.join(sorted(homeless))}: write <!-- bench: NAME --> and its end"
        )

    def put(found: re.Match[str]) -> str:
        name, old = found[1], found[2]
        text = table(report[name]) if name in report else old
        return f"<!-- bench: {name} -->\n{text}<!-- end: {name} -->"

    return _MARKED.sub(put, page)


def main(arguments: Sequence[str]) -> int:
    """Rewrite the tables of the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.page", description="Puts figures into the page.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.json", help="what python -m bench --json printed")
    parser.add_argument("--page", type=Path, default=PAGE, help="another page than docs/performance.md")
    chosen = parser.parse_args(arguments)
    try:
        report = read(chosen.files)
        page = chosen.page.read_text(encoding="utf-8")
        chosen.page.write_text(filled(page, report), encoding="utf-8")
    except (NoReport, NoTable, OSError) as error:
        parser.error(str(error))
    untouched = [name for name in names(page) if name not in report]
    print(f"{chosen.page}: {', '.join(report)}")
    if untouched:
        print(f"left as they were: {', '.join(untouched)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

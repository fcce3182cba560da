"""Prints the state diagram of a step as Mermaid, from the transition table; `--write` puts it into architecture.md.

The diagram in the page is never edited by hand: tests/docs/test_state_diagram.py compares it with the table.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from saga_choreography.state.transitions import LEGAL

PAGE: Final = Path(__file__).resolve().with_name("architecture.md")
BEGIN: Final = "<!-- begin: printed by docs/make_state_diagram.py -->\n"
END: Final = "<!-- end: printed by docs/make_state_diagram.py -->\n"


def lines() -> Iterator[str]:
    """The diagram, in the order of the table. What nothing leads to is the start; what leads nowhere is an end."""
    order = list(LEGAL)
    reached = frozenset[type]().union(*LEGAL.values())
    yield "```mermaid"
    yield "stateDiagram-v2"
    for source in order:
        if source not in reached:
            yield f"    [*] --> {source.__name__}"
        for target in sorted(LEGAL[source], key=order.index):
            yield f"    {source.__name__} --> {target.__name__}"
        if not LEGAL[source]:
            yield f"    {source.__name__} --> [*]"
    yield "```"


def diagram() -> str:
    """The Mermaid block, ending in a newline."""
    return "\n".join(lines()) + "\n"


def with_diagram(page: str) -> str:
    """The page with its diagram replaced.

    Raises:
        ValueError: the two markers are not there, once each and in order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"{PAGE.name} needs one {BEGIN.strip()} and one {END.strip()} behind it")
    return f"{before}{BEGIN}{diagram()}{END}{after}"


def main(arguments: list[str]) -> int:
    """Print or write; 2 on wrong arguments."""
    if arguments == ["--write"]:
        PAGE.write_text(with_diagram(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    elif not arguments:
        sys.stdout.write(diagram())
    else:
        sys.stderr.write("usage: python docs/make_state_diagram.py [--write]\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

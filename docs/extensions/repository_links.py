"""Links between the pages and the rest of the repository, on the site.

README.md and CHANGELOG.md stand outside of this folder, where GitHub wants them; on the site they are the pages
`overview` and `changelog`. A link to any other file of the repository becomes its name: the site does not hold it.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

DOCS: Final = Path(__file__).resolve().parents[1]
ROOT: Final = DOCS.parent
FROM_ROOT: Final = {"overview": ROOT / "README.md", "changelog": ROOT / "CHANGELOG.md"}
"""Pages of the site that are files of the repository's root."""

_FENCE: Final = re.compile(r"(^(```+)[^\n]*\n.*?^\2$)", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


class Application(Protocol):
    """As much of Sphinx as is used here."""

    def connect(self, event: str, callback: Callable[..., None], priority: int = 500) -> int:
        """Have `callback` called on `event`."""
        ...


def on_site(link: "re.Match[str]", page: Path, written_in: Path) -> str:
    """A link as the site needs it: `page` shows what was written in the file `written_in`."""
    text, target = link.group("text"), link.group("target")
    path, _, anchor = target.partition("#")
    if "://" in target or target.startswith("mailto:") or not path:
        return link.group(0)
    file = Path(os.path.normpath(written_in.parent / path))
    for name, original in FROM_ROOT.items():
        if file == original:
            file = DOCS / f"{name}.md"
    if not file.is_relative_to(DOCS) or file.suffix != ".md":
        return text if text.startswith("`") else f"`{text}`"
    relative = os.path.relpath(file, page.parent)
    return f"[{text}]({relative}{f'#{anchor}' if anchor else ''})"


def with_links(text: str, page: Path, written_in: Path) -> str:
    """The text of a page with its links changed; code is left alone."""
    parts = _FENCE.split(text)
    prose = range(0, len(parts), 3)  # prose, a fenced block, its fence, prose, ...
    for at in prose:
        parts[at] = _LINK.sub(lambda link: on_site(link, page, written_in), parts[at])
    return "".join(part for at, part in enumerate(parts) if at % 3 != 2)


def _read(app: object, docname: str, source: list[str]) -> None:
    page = DOCS / f"{docname}.md"
    written_in = FROM_ROOT.get(docname, page)
    text = source[0] if written_in == page else written_in.read_text(encoding="utf-8")
    source[0] = with_links(text, page, written_in)


def setup(app: Application) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""A diagram as a Mermaid flowchart."""

from collections.abc import Iterator
from typing import Final

from saga_choreography.cli.diagram import Diagram, NodeKind

_SHAPES: Final = {
    NodeKind.START: ("([", "])"),
    NodeKind.STEP: ("[", "]"),
    NodeKind.PURE: ("(", ")"),
    NodeKind.JOIN: ("{{", "}}"),
}
_ENTITIES: Final = {'"': "#quot;", "#": "#35;", "&": "#amp;", "<": "#lt;", ">": "#gt;", "`": "#96;", "\\": "#92;"}


def mermaid(diagram: Diagram) -> str:
    """The flowchart, ending in a newline."""
    return "".join(f"{line}\n" for line in _lines(diagram))


def _lines(diagram: Diagram) -> Iterator[str]:
    yield "flowchart TD"
    for node in diagram.nodes:
        opening, closing = _SHAPES[node.kind]
        yield f'    {node.node_id}{opening}"{_escaped(node.label)}"{closing}'
    for edge in diagram.edges:
        yield f"    {edge.source} {'-. undo .->' if edge.undo else '-->'} {edge.to}"


def _escaped(text: str) -> str:
    """Text for between quotes; control characters become spaces."""
    return "".join(_ENTITIES.get(each, each if each.isprintable() else " ") for each in text)

"""A diagram in DOT, the language of Graphviz."""

from collections.abc import Iterator
from typing import Final

from saga_choreography.cli.diagram import Diagram, NodeKind

_SHAPES: Final = {
    NodeKind.START: "shape=oval",
    NodeKind.STEP: "shape=box",
    NodeKind.PURE: 'shape=box, style="rounded"',
    NodeKind.JOIN: "shape=hexagon",
}
_UNDO: Final = ' [style="dashed", constraint=false, label="undo"]'


def dot(diagram: Diagram) -> str:
    """The digraph, ending in a newline."""
    return "".join(f"{line}\n" for line in _lines(diagram))


def _lines(diagram: Diagram) -> Iterator[str]:
    yield f"digraph {_quoted(diagram.title)} {{"
    yield "    rankdir=TB;"
    for node in diagram.nodes:
        yield f"    {node.node_id} [{_SHAPES[node.kind]}, label={_quoted(node.label)}];"
    for edge in diagram.edges:
        yield f"    {edge.source} -> {edge.to}{_UNDO if edge.undo else ''};"
    yield "}"


def _quoted(text: str) -> str:
    """A quoted string; control characters become spaces."""
    plain = "".join(each if each.isprintable() else " " for each in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""The graph of a plan as nodes and edges, without a notation: what both Mermaid and DOT draw."""

from enum import Enum
from typing import Final, TypeAlias, final

from attrs import frozen

from saga_choreography.types import After, AllOf, AnyOf, DependencySpec, OnSagaStart, SagaPlan


class NodeKind(Enum):
    """What a node stands for."""

    START = "start"
    STEP = "step"
    PURE = "pure"
    JOIN = "join"


NodeId: TypeAlias = str
"""Made of ASCII letters and digits, so that no notation has to escape it; no word of Mermaid or DOT."""

START_ID: Final = "start"


@final
@frozen
class Node:
    """`label` is text as it is; a notation escapes it."""

    node_id: NodeId
    label: str
    kind: NodeKind


@final
@frozen
class Edge:
    """From what comes first to what follows; `undo`: what `to` undoes must wait until `source` has settled."""

    source: NodeId
    to: NodeId
    undo: bool = False


@final
@frozen
class Diagram:
    """Nodes and edges in the order they are drawn."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def diagram_of(plan: SagaPlan, *, undo: bool = False) -> Diagram:
    """The steps of a plan and what they wait for; with `undo` also the order in which they are undone."""
    ids = {step.step_name: f"s{number}" for number, step in enumerate(plan.steps, 1)}
    nodes = [Node(START_ID, f"{plan.saga_type} starts", NodeKind.START)]
    edges: list[Edge] = []

    def source(spec: DependencySpec) -> NodeId | None:
        match spec:
            case OnSagaStart():
                return START_ID
            case After(step_name):
                return ids.get(step_name)
            case AllOf(of) | AnyOf(of):
                joined = sum(node.kind is NodeKind.JOIN for node in nodes) + 1
                join = Node(f"j{joined}", "all of" if isinstance(spec, AllOf) else "any of", NodeKind.JOIN)
                nodes.append(join)
                for part in of:
                    follow(part, join.node_id)
                return join.node_id

    def follow(spec: DependencySpec, to: NodeId) -> None:
        node_id = source(spec)
        if node_id is not None:
            edges.append(Edge(node_id, to))

    for step in plan.steps:
        label = f"{step.step_name} (pure)" if step.pure else step.step_name
        nodes.append(Node(ids[step.step_name], label, NodeKind.PURE if step.pure else NodeKind.STEP))
    for step in plan.steps:
        follow(step.after, ids[step.step_name])
    if undo:
        edges += [
            Edge(ids[later], ids[step.step_name], undo=True)
            for step in plan.steps
            if not step.pure
            for later in step.undo_after
            if later in ids
        ]
    return Diagram(plan.saga_type, tuple(nodes), tuple(edges))

"""`saga-choreography graph`, and the notations it prints, word by word."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from saga_choreography.cli.commands import commands
from saga_choreography.cli.diagram import Diagram, Edge, Node, NodeKind, diagram_of
from saga_choreography.cli.dot import dot
from saga_choreography.cli.mermaid import mermaid
from saga_choreography.protocol.workflow import link
from saga_choreography.types import After, AllOf, AnyOf, OnSagaStart, SagaPlan, StepPlan
from tests.cli.written import write_module

ORDER = "deribit_example.saga.types:ORDER_WORKFLOW"

MERMAID = """\
flowchart TD
    start(["deribit_order starts"])
    s1("prepare_order (pure)")
    s2["place_order"]
    s3("monitor_order (pure)")
    start --> s1
    s1 --> s2
    s2 --> s3
"""
DOT = """\
digraph "deribit_order" {
    rankdir=TB;
    start [shape=oval, label="deribit_order starts"];
    s1 [shape=box, style="rounded", label="prepare_order (pure)"];
    s2 [shape=box, label="place_order"];
    s3 [shape=box, style="rounded", label="monitor_order (pure)"];
    start -> s1;
    s1 -> s2;
    s2 -> s3;
    s3 -> s2 [style="dashed", constraint=false, label="undo"];
}
"""


def joined() -> SagaPlan:
    """Two steps side by side, then a join in a join; `end` and `graph` are words of the notations."""
    steps = (
        StepPlan(step_name="end", after=OnSagaStart()),
        StepPlan(step_name="graph", after=OnSagaStart(), pure=True),
        StepPlan(
            step_name="close",
            after=AllOf((OnSagaStart(), AnyOf((After("end"), After("graph"))))),
        ),
    )
    return SagaPlan(saga_type="trip", steps=link(steps))


@pytest.fixture(autouse=True)
def _restored_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.mark.parametrize(
    ("options", "output"),
    [
        ([], MERMAID),
        (["--format", "mermaid"], MERMAID),
        (["--undo"], f"{MERMAID}    s3 -. undo .-> s2\n"),
        (["--format", "dot", "--undo"], DOT),
    ],
)
def test_the_workflow_of_the_example_is_drawn(options: list[str], output: str) -> None:
    result = CliRunner().invoke(commands, ["graph", ORDER, *options])
    assert result.output == output
    assert result.exit_code == 0


def test_it_is_a_program_too(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "saga_choreography.cli", "graph", ORDER]
    run = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, MERMAID, "")


def test_an_unknown_notation_is_wrong_usage() -> None:
    assert CliRunner().invoke(commands, ["graph", ORDER, "--format", "svg"]).exit_code == 2


def test_a_workflow_that_cannot_be_built_is_not_drawn_but_its_faults_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        from saga_choreography import Saga, SagaWorkflow
        TRIP = SagaWorkflow(Saga("trip", str), steps=())
    """
    write_module(monkeypatch, tmp_path, "no_steps", source)
    result = CliRunner().invoke(commands, ["graph", "no_steps:TRIP"])
    assert result.exit_code == 1
    assert "it has no steps" in result.output


def test_joins_are_nodes_of_their_own() -> None:
    assert mermaid(diagram_of(joined(), undo=True)) == (
        "flowchart TD\n"
        '    start(["trip starts"])\n'
        '    s1["end"]\n'
        '    s2("graph (pure)")\n'
        '    s3["close"]\n'
        '    j1{{"all of"}}\n'
        '    j2{{"any of"}}\n'
        "    start --> s1\n"
        "    start --> s2\n"
        "    start --> j1\n"
        "    s1 --> j2\n"
        "    s2 --> j2\n"
        "    j2 --> j1\n"
        "    j1 --> s3\n"
        "    s3 -. undo .-> s1\n"
    )


def test_joins_in_dot() -> None:
    assert dot(diagram_of(joined())) == (
        'digraph "trip" {\n'
        "    rankdir=TB;\n"
        '    start [shape=oval, label="trip starts"];\n'
        '    s1 [shape=box, label="end"];\n'
        '    s2 [shape=box, style="rounded", label="graph (pure)"];\n'
        '    s3 [shape=box, label="close"];\n'
        '    j1 [shape=hexagon, label="all of"];\n'
        '    j2 [shape=hexagon, label="any of"];\n'
        "    start -> s1;\n"
        "    start -> s2;\n"
        "    start -> j1;\n"
        "    s1 -> j2;\n"
        "    s2 -> j2;\n"
        "    j2 -> j1;\n"
        "    j1 -> s3;\n"
        "}\n"
    )


def test_labels_are_escaped() -> None:
    odd = 'say "a\\b" <i>#1</i> & `c`\nd'
    diagram = Diagram(odd, (Node("s1", odd, NodeKind.STEP),), (Edge("s1", "s1"),))
    assert mermaid(diagram).splitlines()[1] == (
        '    s1["say #quot;a#92;b#quot; #lt;i#gt;#35;1#lt;/i#gt; #amp; #96;c#96; d"]'
    )
    assert dot(diagram).splitlines()[0] == 'digraph "say \\"a\\\\b\\" <i>#1</i> & `c` d" {'
    assert dot(diagram).splitlines()[2] == '    s1 [shape=box, label="say \\"a\\\\b\\" <i>#1</i> & `c` d"];'

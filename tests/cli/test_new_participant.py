"""`new participant`: what it writes runs as it is, and is loud about what is missing."""

import ast
import builtins
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from saga_choreography.cli.scaffold.names import class_name
from saga_choreography.cli.scaffold.participant import local_names
from tests.cli.shapes import PARTICIPANTS, SAGAS, write_shop
from tests.cli.tools import environment, modules_of, pytest_in, python, run, run_well

TARGET: Final = "shop.sagas:SHOP_WORKFLOW"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Path]:
    write_shop(tmp_path, line_length=88)
    with modules_of(tmp_path):
        yield tmp_path


@pytest.fixture
def library(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return environment(tmp_path_factory.mktemp("library"))


def write(name: str, step: str, target: str = TARGET) -> str:
    return run_well("new", "participant", name, "--workflow", target, "--step", step, "--directory", "shop/actors")


def test_a_participant_has_the_parts_of_all_participants(shop: Path) -> None:
    said = write("desk", "reserve")
    assert "shop.actors.desk" in said
    assert "Still to be written" in said
    folder = shop / "shop" / "actors" / "desk"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "__init__.py",
        "actor.py",
        "architecture.md",
        "business.py",
        "messaging.py",
        "saga/__init__.py",
        "saga/participant.py",
        "saga/state_ext.py",
        "tests/test_desk.py",
    ]


@pytest.mark.parametrize(
    ("step", "declaration"),
    [
        ("reserve", "class DeskSteps(SagaParticipant[Basket, Stock, Release]):"),
        ("rate", "class DeskSteps(NothingToUndo, SagaParticipant[Basket, Price, None]):"),
        ("notify", "class DeskSteps(SagaParticipant[Stock, None, None]):"),
        ("joined", "class DeskSteps(SagaParticipant[tuple[Stock, Price], Box[Parcel], Parcel.Label]):"),
        ("either", "class DeskSteps(SagaParticipant[Stock | Price, list[int], None]):"),
        ("table", "class DeskSteps(NothingToUndo, SagaParticipant[list[int], dict[str, Stock], None]):"),
        ("raw", "class DeskSteps(SagaParticipant[dict[str, Stock], bytes, bytes]):"),
        ("two.parcels", "class DeskSteps(SagaParticipant[bytes, StepResult, None]):"),
        ("badly-called", "SagaParticipant[StepInput, PayloadsSagaContext, PayloadsWarning]"),
        ("standard", "class DeskSteps(SagaParticipant[PayloadsSagaContext, StepResult, UndoData]):"),
    ],
)
def test_a_step_of_each_shape_is_declared_with_its_types(shop: Path, step: str, declaration: str) -> None:
    write("desk", step)
    assert declaration in (shop / "shop/actors/desk/saga/participant.py").read_text()


def test_every_name_a_template_uses_is_kept_from_imports(shop: Path) -> None:
    """Otherwise a payload class could be called as something that the templates use for another thing."""
    for name, step in PARTICIPANTS.items():
        write(name, step)
        kept = local_names(name)
        for file in (shop / "shop/actors" / name).rglob("*.py"):
            for used in _used_names(ast.parse(file.read_text())):
                assert kept.take("elsewhere", used).local != used, f"{used} of {file.name}"


def _used_names(tree: ast.Module) -> set[str]:
    """All names that stand in a file, but for those its imports from the program brought in, and method names."""
    from_the_program = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("shop.")
        if not node.module.startswith("shop.actors.")
        for alias in node.names
    }
    types = {"Any", "Decimal", "Literal"}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names |= {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    tests = {name for name in names if name.startswith(("test_", "__"))}
    return names - from_the_program - set(dir(builtins)) - tests - types


@pytest.mark.timeout(600)
def test_its_own_tests_pass_untouched_without_any_extra(shop: Path, library: Mapping[str, str]) -> None:
    for name, step in PARTICIPANTS.items():
        write(name, step)
    ended = pytest_in(shop, library, "shop")
    assert ended.returncode == 0, ended.stdout
    assert "26 passed, 37 xfailed" in ended.stdout


PROGRAM: Final = """
import sys
from saga_choreography import NothingToUndo, SagaActor, SagaFailed, SagaWorkflow, StepOutput
from saga_choreography.testing import SagaTestWorld
from shop.actors.desk import Desk
from shop.payloads import Basket, Price, Release, Stock
from shop.sagas import NOTIFY, RATE, RESERVE, SHOP


class Reserver(SagaActor):
    step = RESERVE

    def execute_step(self, context, step_input):
        return StepOutput(Stock("3"), Release("3"))

    def compensate_step(self, context, undo):
        print("released", undo.shelf)


with SagaTestWorld() as world:
    world.start_actor(Reserver)
    world.start_actor(Desk)
    handle = world.start_saga(SagaWorkflow(SHOP, steps=(RESERVE, NOTIFY)), Basket(("a",)))
    outcome = world.wait_for_terminal(handle)
    assert isinstance(outcome, SagaFailed)
    print(outcome.reason)
"""


@pytest.mark.timeout(600)
def test_no_saga_gets_past_a_step_that_is_not_written(shop: Path, library: Mapping[str, str]) -> None:
    write("desk", "notify")
    ended = python(["-c", PROGRAM], shop, {**library, "PYTHONDONTWRITEBYTECODE": "1"})
    assert ended.returncode == 0, ended.stdout
    assert "execute of shop.actors.desk is not written yet" in ended.stdout
    assert "released 3" in ended.stdout


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


@pytest.mark.timeout(600)
def test_nothing_can_be_forgotten_on_the_way_to_a_business(shop: Path, library: Mapping[str, str]) -> None:
    write("desk", "reserve")
    folder = shop / "shop/actors/desk"
    business, tests = folder / "business.py", folder / "tests/test_desk.py"

    change(business, 'raise NotWritten("execute")', 'return StepOutput(Stock("3"), Release("3"))')
    ended = pytest_in(shop, library, "shop")
    assert ended.returncode == 1
    assert "to be written: ['compensate_step', 'an_input']" in ended.stdout

    change(tests, 'raise NotWritten("an_input in the tests")', 'return Basket(("a",))')
    ended = pytest_in(shop, library, "shop")
    assert ended.returncode == 1
    assert "to be written: ['compensate_step']" in ended.stdout

    change(business, 'raise NotWritten("compensate")', 'assert undo == Release("3")')
    ended = pytest_in(shop, library, "shop")
    assert ended.returncode == 1
    assert ended.stdout.count("[XPASS(strict)]") == 3

    change(tests, "@to_write\n", "")
    ended = pytest_in(shop, library, "shop")
    assert ended.returncode == 0, ended.stdout
    assert "5 passed" in ended.stdout


@pytest.mark.timeout(600)
def test_a_business_that_was_put_elsewhere_is_seen_too(shop: Path, library: Mapping[str, str]) -> None:
    write("desk", "reserve")
    steps = shop / "shop/actors/desk/saga/participant.py"
    change(steps, "return execute(context, step_input)", 'return StepOutput(Stock("3"), Release("3"))')
    ended = pytest_in(shop, library, "shop")
    assert ended.returncode == 1
    assert "to be written: ['compensate_step', 'an_input']" in ended.stdout


def refused(*, name: str = "desk", step: str = "reserve", target: str = TARGET) -> tuple[int, str]:
    result = run(*("new", "participant", name, "--workflow", target, "--step", step, "--directory", "shop/actors"))
    return result.exit_code, result.output


def test_a_step_that_is_not_there_is_refused_and_the_others_are_listed(shop: Path) -> None:
    code, said = refused(step="reserv")
    assert code == 3
    assert "saga type 'shop' has no step 'reserv'; its steps: a-step-name-of-64-" in said
    assert "badly-called, either" in said
    assert not (shop / "shop/actors/desk").exists()


@pytest.mark.parametrize("target", ["shop.sagas", "shop.nowhere:W", "shop.sagas:RESERVE"])
def test_a_workflow_that_is_not_there_is_refused(shop: Path, target: str) -> None:
    assert refused(target=target)[0] == 3
    assert not (shop / "shop/actors/desk").exists()


def test_a_folder_that_exists_is_left_alone(shop: Path) -> None:
    write("desk", "reserve")
    (shop / "shop/actors/desk/business.py").write_text("mine\n")
    code, said = refused(step="rate")
    assert code == 5
    assert "exists already" in said
    assert (shop / "shop/actors/desk/business.py").read_text() == "mine\n"


def test_a_token_without_a_name_of_its_own_is_refused(shop: Path) -> None:
    (shop / "shop" / "sagas.py").write_text(
        SAGAS.replace("SHOP_WORKFLOW = ", "").replace("SagaWorkflow(SHOP, steps=STEPS)", "")
        + '\n\nSHOP_WORKFLOW = SagaWorkflow(SHOP, steps=(Step[Basket, Stock]("nameless", Stock, after=SHOP),))\n'
    )
    code, said = refused(step="nameless")
    assert code == 3
    assert "the token of step 'nameless' has no name at the top of any module" in said
    assert "NAMELESS = Step[...](...)" in said


def test_a_token_is_imported_from_where_it_is_assigned(shop: Path) -> None:
    (shop / "shop" / "program.py").write_text(
        "from saga_choreography import SagaWorkflow\nfrom shop.sagas import RESERVE, SHOP\n\n"
        "WORKFLOW = SagaWorkflow(SHOP, steps=(RESERVE,))\n"
    )
    write("desk", "reserve", "shop.program:WORKFLOW")
    assert "from shop.sagas import RESERVE\n" in (shop / "shop/actors/desk/saga/participant.py").read_text()


def test_a_type_that_no_other_file_can_name_is_refused(shop: Path) -> None:
    with (shop / "shop" / "sagas.py").open("a") as sagas:
        sagas.write(
            "\n\nfrom attrs import frozen\n\n\ndef hidden() -> type[object]:\n    @frozen\n    class Inner:\n"
            "        pass\n\n    return Inner\n\n\n"
            'ODD = Step("odd", hidden(), after=SHOP)\nSHOP_WORKFLOW = SagaWorkflow(SHOP, steps=(ODD,))\n'
        )
    code, said = refused(step="odd")
    assert code == 3
    assert "the output type of step 'odd' cannot be written into another file" in said


def test_a_class_of_its_actor_is_called_as_the_participant(shop: Path) -> None:
    write("order_placer_2", "reserve")
    assert f"class {class_name('order_placer_2')}(" in (shop / "shop/actors/order_placer_2/actor.py").read_text()

"""Stored data is never code: no module of the library can run, import or unpickle what it reads."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import saga_choreography
from saga_choreography.codec import INITIATOR_TAGS, PARTICIPANT_TAGS, RecordCodec
from saga_choreography.codec.wire import pack
from saga_choreography.errors import PayloadError
from tests.codec.strategies import SAGA, PlansInMemory
from tests.fuzz.mutations import sealed

ROOT: Final = Path(saga_choreography.__file__).parent
NAMES_FROM_THE_SHELL: Final = ROOT / "cli" / "target.py"
"""Imports the module that an operator names in a command; it reads nothing that is stored."""
SCAFFOLD: Final = sorted((ROOT / "cli" / "scaffold").glob("*.py"))
"""Look into the modules of the workflow an operator names; they read nothing that is stored either."""
MODULES: Final = sorted(set(ROOT.rglob("*.py")) - {NAMES_FROM_THE_SHELL, *SCAFFOLD})
FORBIDDEN_MODULES: Final = frozenset(
    {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "copyreg", "importlib", "imp"}
    | {"pkgutil", "runpy", "code", "codeop", "pydoc", "ctypes", "yaml", "xmlrpc"}
)
FORBIDDEN_CALLS: Final = frozenset({"eval", "exec", "compile", "__import__", "globals", "vars", "locals"})
DYNAMIC_CALLS: Final = frozenset({"getattr", "setattr", "attrgetter", "methodcaller", "delattr"})
NAMES_FROM_CODE: Final = frozenset(
    {
        # The names of a record's fields: read from its class, never from what is stored.
        "codec/records.py",
        # Names of hooks: from the table of hooks in the same module.
        "traits/participant.py",
        # Tells the fields of an event of the simulation, whose names stand in the same module.
        "testing/simulation/story.py",
    }
)


def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"), str(module))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def called(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name):
                    yield name, node
                case ast.Attribute(value=ast.Name(id="builtins" | "operator" | "sys"), attr=name):
                    yield name, node
                case _:
                    continue


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 60
    assert ROOT / "codec" / "records.py" in MODULES


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOT)))
def test_a_module_runs_and_imports_nothing_that_is_named_by_data(module: Path) -> None:
    tree = tree_of(module)
    assert not [name for name in imported(tree) if name.partition(".")[0] in FORBIDDEN_MODULES]
    assert not [name for name, _ in called(tree) if name in FORBIDDEN_CALLS]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "modules"]
    dynamic = [
        f"line {call.lineno}: {name}"
        for name, call in called(tree)
        if name in DYNAMIC_CALLS and not all(isinstance(one, ast.Constant) for one in names_given(name, call))
    ]
    assert not dynamic or module.relative_to(ROOT).as_posix() in NAMES_FROM_CODE, dynamic


def test_what_a_command_names_is_imported_in_one_place_that_knows_no_store() -> None:
    known = [name for name in imported(tree_of(NAMES_FROM_THE_SHELL)) if name.startswith("saga_choreography")]
    assert sorted(known) == [
        "saga_choreography.cli.faults",
        "saga_choreography.errors",
        "saga_choreography.traits.workflow",
    ]


@pytest.mark.parametrize("module", SCAFFOLD, ids=lambda module: module.name)
def test_what_looks_into_the_modules_of_a_program_knows_no_store(module: Path) -> None:
    tree = tree_of(module)
    known = [
        name for name in imported(tree) if name.startswith(("saga_choreography.storage", "saga_choreography.codec"))
    ]
    assert not known
    assert not [name for name, _ in called(tree) if name in FORBIDDEN_CALLS - {"vars"}]


def names_given(name: str, call: ast.Call) -> list[ast.expr]:
    """The arguments of a call that say which attribute is meant."""
    return call.args[1:2] if name in ("getattr", "setattr", "delattr") else call.args


def test_the_exceptions_are_still_needed() -> None:
    for name in NAMES_FROM_CODE:
        assert [one for one, _ in called(tree_of(ROOT / name)) if one in DYNAMIC_CALLS], f"{name} needs no exception"


@pytest.mark.parametrize(
    "tag",
    [
        "builtins.eval",
        "os.system",
        "subprocess.Popen",
        "saga_choreography.events.participant.StepTriggered",
        "saga_choreography.events.participant:StepTriggered",
        "StepTriggered",
        "__class__",
        "tests.fuzz.test_no_code_from_data",
    ],
)
def test_a_record_that_names_a_class_is_refused(tag: str) -> None:
    codec = RecordCodec({**PARTICIPANT_TAGS, **INITIATOR_TAGS}, PlansInMemory())
    for fields in ([], ["echo"], [{"__class__": tag}], [tag, tag, tag]):
        with pytest.raises(PayloadError, match="unknown tag"):
            codec.decode(SAGA, 1, sealed(SAGA, 1, pack([1, tag, 9, *fields])))


def test_stored_tags_are_no_paths_of_classes() -> None:
    for tag, kind in {**PARTICIPANT_TAGS, **INITIATOR_TAGS}.items():
        assert kind.__module__ not in tag
        assert kind.__qualname__ not in tag

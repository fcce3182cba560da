"""A participant of a step that exists: what its templates are told.

What is written passes every checker and its own tests untouched, and still nothing can be forgotten. Both hold because
its tests accept two states only. As generated, nothing is written: every part raises `NotWritten`, which is a terminal
error of the step (and of its undo), so a saga that comes by fails and says why, and the tests of the step are strictly
expected to fail with that very error. As soon as one part is written, one test fails until all are; once all are, the
strict marks fail until they are removed, and what they marked are real tests. Wrong types, a missing return and a
message without an arm are errors of the type checker.
"""

from collections.abc import Mapping
from typing import Final, final

from attrs import frozen

import saga_choreography
from saga_choreography.cli.scaffold.imports import Import, LocalNames
from saga_choreography.cli.scaffold.layout import SHORTEST_WIDTH, Atom, Either, TypeExpr
from saga_choreography.cli.scaffold.names import class_name, in_words
from saga_choreography.cli.scaffold.place import Place
from saga_choreography.cli.scaffold.render import Layout, render_tree
from saga_choreography.cli.scaffold.spelling import Spelled
from saga_choreography.cli.scaffold.tokens import StepSubject

_LONGEST_INLINE: Final = 24
_ROOM: Final = SHORTEST_WIDTH - len("    SagaParticipant[, , ],")
"""Columns that input, output and undo type may have together, to stand in a line of their own."""

_IMPORTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(saga_choreography.__all__, "saga_choreography"),
    **dict.fromkeys(("Final", "TypeAlias", "assert_never", "final"), "typing"),
    **dict.fromkeys(("Callable", "MutableMapping"), "collections.abc"),
    **dict.fromkeys(("Future", "InvalidStateError"), "concurrent.futures"),
    "SagaTestWorld": "saga_choreography.testing",
    "UUID": "uuid",
    "frozen": "attrs",
    "suppress": "contextlib",
}
"""Names that the templates import, and from where."""
_MADE: Final = (
    *("BUSINESS", "CONTEXT", "GetStats", "NotWritten", "PARTS", "StepInput", "StepResult", "UndoData"),
    *("an_input", "compensate", "context", "done", "event", "execute", "first", "inspect", "is_open", "message"),
    *("name", "names", "one", "part", "place", "pykka", "pytest", "reply", "rule", "rules", "self", "step"),
    *("step_input", "steps", "still_open", "thing", "to_write", "undo", "used", "world", "_"),
)
"""Names that the templates use for what is their own."""


@final
@frozen
class Alias:
    """A name for a type that is too long to stand in a signature."""

    name: str
    expr: TypeExpr


def local_names(name: str) -> LocalNames:
    """The names that imports of a participant may take."""
    made = class_name(name)
    own = (made, f"{made}Steps", f"{made}SagaState", f"{made}Message", *_MADE)
    return LocalNames({**_IMPORTED, **dict.fromkeys(own, "")})


def participant_files(name: str, subject: StepSubject, step_name: str, place: Place) -> dict[str, str]:
    """The files of a participant, by their paths in its folder."""
    types = {"step_input": subject.step_input, "output": subject.output, "undo": subject.undo}
    called = _called(types)
    inline = [types[what].imports for what, text in called.items() if text == types[what].text]
    aliases = [Alias(text, types[what].expr) for what, text in called.items() if text != types[what].text]
    made = {what: called[what] != types[what].text for what in types}
    business = f"{place.package}.business"
    facts: dict[str, object] = {
        **common_facts(name, place.package, step_name),
        **called,
        "outside": None,
        "token": subject.token,
        "pure": subject.pure,
        "aliases": aliases,
        "alias_imports": [Import(business, alias.name, alias.name) for alias in aliases],
        "inline_imports": frozenset[Import]().union(*inline),
        "type_imports": frozenset[Import]().union(*(spelled.imports for spelled in types.values())),
        "input_imports": [Import(business, called["step_input"], called["step_input"])]
        if made["step_input"]
        else subject.step_input.imports,
        **{f"full_{what.removeprefix('step_')}": spelled.text for what, spelled in types.items()},
        **{f"drawn_{what.removeprefix('step_')}": drawn(spelled.text) for what, spelled in types.items()},
    }
    layout = Layout(place.width, place.section_of)
    return {
        **render_tree("actor", layout, facts, {}),
        **render_tree("participant", layout, facts, {"name": name}),
    }


def common_facts(name: str, package: str, step_name: str) -> dict[str, object]:
    """What the templates of any participant are told."""
    made = class_name(name)
    return {
        "name": name,
        "words": in_words(name),
        "class": made,
        "package": package,
        "step_name": step_name,
        "message_union": Either((Atom("GetStats"), Atom("SagaEvent"))),
    }


def drawn(text: str) -> str:
    """A type within a label of a diagram."""
    return text.replace('"', "#quot;")


def _called(types: Mapping[str, Spelled]) -> dict[str, str]:
    """Each type as signatures name it: the longest get aliases until the others have room."""
    aliases = {"step_input": "StepInput", "output": "StepResult", "undo": "UndoData"}
    called = {what: spelled.text for what, spelled in types.items()}
    for what in sorted(called, key=lambda what: -len(types[what].text)):
        if len(called[what]) > _LONGEST_INLINE or sum(map(len, called.values())) > _ROOM:
            called[what] = aliases[what]
    return called

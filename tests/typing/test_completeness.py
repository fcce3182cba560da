"""Everything public has a type that every checker sees the same way, as pyright judges it of the installed package."""

import json
import os
import sysconfig
from pathlib import Path

import pytest

from tests.typing.checking import MUST_RUN, is_installed, run
from tests.typing.public_names import PACKAGE

INSTALLED = Path(sysconfig.get_path("purelib")) / PACKAGE / "py.typed"


@pytest.mark.checkers
@pytest.mark.timeout(600)
@pytest.mark.skipif(
    "pyright" not in os.environ.get(MUST_RUN, "").split() and not (is_installed("pyright") and INSTALLED.is_file()),
    reason="pyright, or the package as users install it, is not here; the environment of pyright runs this",
)
def test_every_public_symbol_has_a_complete_and_unambiguous_type(tmp_path: Path) -> None:
    answer = run(["pyright", "--verifytypes", PACKAGE, "--ignoreexternal", "--outputjson"], tmp_path)
    report = json.loads(answer.stdout)
    found = report["typeCompleteness"]
    incomplete = {
        symbol["name"]: [diagnostic["message"] for diagnostic in symbol["diagnostics"]]
        for symbol in found["symbols"]
        if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]
    }
    assert incomplete == {}
    assert (found["completenessScore"], report["generalDiagnostics"]) == (1, [])
    assert found["exportedSymbolCounts"]["withKnownType"] > 1000

"""Figures that need programs of their own: what an import costs, what live sagas cost."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Final

from bench.answer import Answer, Verdict

_IMPORT: Final = """
import sys, time
assert not sys.dont_write_bytecode
before = set(sys.modules)
began = time.perf_counter()
import saga_choreography
millis = 1000 * (time.perf_counter() - began)
roots = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
print(millis, *sorted(name for name in roots if not name.startswith("_")))
"""
_CORE: Final = frozenset({"attr", "attrs", "cattr", "cattrs", "lmdb", "msgpack", "pykka", "typing_extensions"})
_OWN: Final = frozenset({"saga_choreography", "cython_runtime"})  # the second is a part of compiled packages


def with_byte_code(environment: Mapping[str, str], folder: str) -> dict[str, str]:
    """The environment of a Python that keeps byte code, as users have it, in a folder that only this run knows."""
    kept = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": folder}


def _imported(environment: Mapping[str, str]) -> list[str]:
    command = [sys.executable, "-c", _IMPORT]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60, env=environment)
    return done.stdout.split()


def import_time(rounds: int, told: Callable[[str], None]) -> Answer:
    """Milliseconds of `import saga_choreography` in a fresh interpreter, and what it brings along."""
    millis: list[float] = []
    extras: frozenset[str] = frozenset()
    with tempfile.TemporaryDirectory() as folder:
        environment = with_byte_code(os.environ, folder)
        told("import, not counted: it compiles everything")
        _imported(environment)
        for number in range(2 * rounds):
            told(f"import {number + 1} of {2 * rounds}")
            first, *names = _imported(environment)
            millis.append(float(first))
            extras = frozenset(names) - _CORE - _OWN
    median = statistics.median(millis)
    return Answer(
        header=("", "ms"),
        rows=(("import saga_choreography", f"{median:.0f}"),),
        verdicts=(
            Verdict(what="milliseconds to import", value=median, at_most=120),
            Verdict(what=f"packages beside the core {sorted(extras) or ''}".strip(), value=len(extras), at_most=0),
        ),
    )


def live_sagas(sagas: int, directory: str | None, told: Callable[[str], None]) -> Answer:
    """Memory of live sagas, and how long a program takes to recover them."""
    told(f"{sagas:,} live sagas")
    command = [sys.executable, "-m", "tests.load.in_flight", "--sagas", str(sagas), "--durability", "fsync", "--json"]
    where = () if directory is None else ("--directory", directory)
    done = subprocess.run([*command, *where], stdout=subprocess.PIPE, text=True, check=True, timeout=3_600)
    report = json.loads(done.stdout)
    heap = report["started"]["grown"]["heap"] / sagas
    recovered = report["ended"]["joined_seconds"] / sagas * 100_000
    return Answer(
        header=("", "figure"),
        rows=(
            ("live sagas", f"{sagas:,}"),
            ("starts a second, 32 clients", f"{sagas / report['started']['start_seconds']:,.0f}"),
            ("bytes of heap a live saga, all its actors", f"{heap:,.0f}"),
            ("seconds to recover 100,000", f"{recovered:.1f}"),
            ("ends a second", f"{sagas / report['ended']['end_seconds']:,.0f}"),
        ),
        verdicts=(
            Verdict(what="bytes a live saga beside its payload", value=heap, at_most=2_048),
            Verdict(what="seconds to recover 100,000 live sagas", value=recovered, at_most=10),
        ),
    )

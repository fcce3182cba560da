"""Measures sagas in flight: `python -m tests.load.in_flight --sagas 100000 [--durability process|fsync] [--json]`.

All sagas are live at once, the program is stopped, a new one recovers all of them and lets them end. Each program is a
process of its own, so that memory and recovery are those of a fresh one.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, final

from attrs import asdict, frozen
from typing_extensions import TypeVar

from saga_choreography import Durability
from saga_choreography.runtime.system import DEFAULT_INITIATOR
from tests.load.errands import Deliverer, Fetcher
from tests.load.phases import PATIENCE_SECONDS, Ended, Started, end_errands, start_errands

P = ParamSpec("P")
R = TypeVar("R")


@final
@frozen(kw_only=True)
class Report:
    """Both programs, and what follows from them."""

    durability: str
    started: Started
    ended: Ended

    def faults(self) -> list[str]:
        """Whatever is not as it must be; speed is no fault."""
        sagas = self.started.sagas
        full = {DEFAULT_INITIATOR: sagas, Fetcher.__name__: sagas, Deliverer.__name__: 0}
        empty = dict.fromkeys(full, 0)
        wanted = {
            "live before the stop": (self.started.live, full),
            "live after the recovery": (self.ended.recovered, full),
            "live at the end": (self.ended.left, empty),
            "completed": (self.ended.completed, sagas),
        }
        return [f"{what}: {found}, wanted {want}" for what, (found, want) in wanted.items() if found != want]

    def lines(self) -> list[str]:
        """The report for people."""
        first, second = self.started, self.ended
        sagas = first.sagas
        return [
            f"{sagas} sagas in flight, durability {self.durability}, {first.clients} client threads",
            f"  started   {first.start_seconds:8.1f} s   {sagas / first.start_seconds:,.0f} a second",
            f"  all live  {first.live_seconds:8.1f} s   {_counts(first.live)}",
            f"  memory    {first.grown.heap / sagas:8,.0f} bytes of heap a live saga over all its actors, "
            f"{first.grown.mapped / sagas:,.0f} of mapped files; payload {first.payload_bytes} bytes",
            f"  stopped   {first.stop_seconds:8.1f} s",
            f"  recovered {second.joined_seconds:8.1f} s   {second.joined_seconds / sagas * 100_000:,.1f} s for each "
            f"100,000; {_counts(second.recovered)}",
            f"  resumed   {second.resumed_seconds:8.1f} s   every pending step was told so",
            f"  memory    {second.grown.heap / sagas:8,.0f} bytes of heap a recovered saga, "
            f"{second.grown.mapped / sagas:,.0f} of mapped files",
            f"  ended     {second.end_seconds:8.1f} s   {sagas / second.end_seconds:,.0f} a second",
            f"  completed {second.completed}, lost {sagas - second.completed}",
        ]


def _counts(live: dict[str, int]) -> str:
    return "live: " + ", ".join(f"{count} in {actor}" for actor, count in live.items())


def in_a_fresh_process(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a call in a new interpreter; its result, or what it raised."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(call, *args, **kwargs).result(2 * PATIENCE_SECONDS)


def measure(path: Path, sagas: int, clients: int, durability: Durability) -> Report:
    """Run both programs, one after the other, on the same directory."""
    started = in_a_fresh_process(start_errands, path, sagas, clients, durability)
    ended = in_a_fresh_process(end_errands, path, sagas, durability)
    return Report(durability=durability.value, started=started, ended=ended)


def main(arguments: list[str]) -> int:
    """The command line; exit code 1 when a saga is lost or a count is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.in_flight", description="Many sagas in flight at once.")
    parser.add_argument("--sagas", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=32, help="threads that start sagas; their commits are shared")
    parser.add_argument("--durability", choices=[each.value for each in Durability], default=Durability.PROCESS.value)
    parser.add_argument("--directory", type=Path, default=None, help="where the stores are made (default: a new one)")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=chosen.directory) as directory:
        report = measure(Path(directory) / "state", chosen.sagas, chosen.clients, Durability(chosen.durability))
    faults = report.faults()
    print(json.dumps({**asdict(report), "faults": faults}) if chosen.json else "\n".join(report.lines()))
    for fault in faults:
        print(f"wrong: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The driver: keeps the ledger's process, kills and restarts the program, lets everything end, checks it.

It kills only processes that it started itself, by pid.
"""

import json
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final, final

from attrs import frozen

from tests.crash.check import Violation, check_story, check_whole
from tests.crash.ending import acknowledged, run_to_the_end
from tests.crash.evidence import Evidence, read_ledger
from tests.crash.figures import Figures, Tally
from tests.crash.killing import Kill, KillKind, plan_cycle
from tests.crash.ledger_lines import Op, Request
from tests.crash.ledger_server import serve_ledger
from tests.crash.outside import RemoteLedger
from tests.crash.program import Incarnation, run_until_killed

READY_SECONDS: Final = 120.0
POINT_SECONDS: Final = 1.5
"""A fault point that is not reached within this time is not waited for: the program is killed at that moment."""
LAST_RUN_SECONDS: Final = 600.0
STORIES: Final = 20
"""So many sagas with violations are told in full."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crash.ending", "tests.crash.ledger_server"])


class SoakError(Exception):
    """The soak itself went wrong: a process ended that was not killed, or hangs."""


@final
@frozen(kw_only=True)
class Result:
    """What came of a soak; each violation with the story of its saga."""

    figures: Figures
    violations: list[Violation]
    stories: list[str]


@final
class Soak:
    """One soak in one directory. A context manager: the ledger's process lives inside."""

    def __init__(self, path: Path, seed: int, progress: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._chance = random.Random(seed)
        self._progress = progress
        self._kills: Counter[str] = Counter()
        self._runs = 0
        self._driver_end, ledger_end = _processes.Pipe()
        self._server = _processes.Process(target=serve_ledger, args=(self._ledger_file, ledger_end), daemon=True)
        self._server.start()
        ledger_end.close()
        if not self._driver_end.poll(READY_SECONDS):
            raise SoakError("the ledger does not start")
        self._port: int = self._driver_end.recv()
        self._ledger = RemoteLedger(self._port, 0)

    def __enter__(self) -> "Soak":
        return self

    def __exit__(self, *_: object) -> None:
        self._ledger.close()
        self._driver_end.close()  # this ends the ledger's process
        self._server.join(30)

    @property
    def _ledger_file(self) -> Path:
        return self._path / "ledger"

    def run(self, cycles: int) -> Result:
        """Kill and restart, let everything end, check."""
        began = time.monotonic()
        for cycle in range(cycles):
            for kill in plan_cycle(self._chance, cycle):
                self._live_and_die(kill)
            if (cycle + 1) % max(1, cycles // 20) == 0:
                seconds = time.monotonic() - began
                self._progress(f"{cycle + 1} cycles, {sum(self._kills.values())} kills, {seconds:.0f} s")
        told = self._last_run()
        lines = read_ledger(self._ledger_file)
        tally = Tally()
        with Evidence(self._path / "state", lines, told, acknowledged(self._ledger_file)) as evidence:
            violations = check_whole(lines, evidence.live)
            for story in evidence.stories():
                violations += check_story(story)
                tally.add(story)
            guilty = dict.fromkeys(found.saga_id for found in violations if found.saga_id is not None)
            stories = [evidence.story(saga_id).told_in_full() for saga_id in list(guilty)[:STORIES]]
        seconds = time.monotonic() - began
        done = tally.figures(lines, violations, cycles=cycles, kills=self._kills, seconds=seconds)
        return Result(figures=done, violations=violations, stories=stories)

    def _incarnation(self, kill: Kill) -> Incarnation:
        self._runs += 1
        return Incarnation(
            path=self._path / "state",
            port=self._port,
            run=self._runs,
            durability=kill.durability,
            fatal=kill.fatal,
        )

    def _live_and_die(self, kill: Kill) -> None:
        self._settle()
        own_end, program_end = _processes.Pipe()
        process = _processes.Process(target=run_until_killed, args=(self._incarnation(kill), program_end))
        process.start()
        program_end.close()
        try:
            was_ready = _wait_for_the_moment(kill, process, own_end)
            by_itself = process.exitcode is not None
            if not by_itself:
                assert process.pid is not None
                os.kill(process.pid, signal.SIGKILL)
            process.join(60)
            if process.exitcode != -signal.SIGKILL:
                raise SoakError(f"run {self._runs} of the program was not killed, it ended with {process.exitcode}")
            self._kills[_name_of(kill, was_ready=was_ready, by_itself=by_itself)] += 1
        finally:
            own_end.close()
            if process.is_alive():
                process.kill()
                process.join(60)
            process.close()

    def _last_run(self) -> dict[str, str]:
        self._settle()
        outcomes = self._path / "outcomes"
        arguments = (self._incarnation(Kill(kind=KillKind.MOMENT)), self._ledger_file, outcomes)
        process = _processes.Process(target=run_to_the_end, args=arguments)
        process.start()
        process.join(LAST_RUN_SECONDS)
        if process.exitcode != 0:
            ended_with = process.exitcode
            process.kill()
            raise SoakError(f"the last run ended with {ended_with}")
        self._settle()
        self._ledger.ask(Request(op=Op.IDLE))
        told: dict[str, str] = json.loads(outcomes.read_text())
        return told

    def _settle(self) -> None:
        """What a killed program has sent is applied before the next one says a word."""
        self._ledger.ask(Request(op=Op.SETTLE))


def _wait_for_the_moment(kill: Kill, process: ForkServerProcess, ready: Connection) -> bool:
    """Return when it is time to kill the program, or when it is dead; True when it had become ready."""
    if kill.kind is KillKind.STARTING:
        process.join(kill.seconds)
        return False
    if not ready.poll(READY_SECONDS):
        raise SoakError("the program does not become ready")
    try:
        ready.recv()
    except EOFError:
        process.join(60)
        return False  # it killed itself before
    process.join(POINT_SECONDS if kill.kind is KillKind.POINT else kill.seconds)
    return True


def _name_of(kill: Kill, *, was_ready: bool, by_itself: bool) -> str:
    if kill.fatal is None:
        return kill.kind.value
    if not by_itself:
        return f"{KillKind.MOMENT.value} (fault point not reached)"
    return f"{kill.fatal.point.value} {'at work' if was_ready else 'while starting'}"

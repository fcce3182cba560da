"""The soak: live, die, live again; at the end everything ends, and the books are compared."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from random import Random
from typing import Final, final

from attrs import define, field, frozen

from deribit_example.demo.audit import Books
from tests.deribit_soak.checking import Totals, disagreements, totals, violations
from tests.deribit_soak.evidence import read_evidence
from tests.deribit_soak.places import Places
from tests.deribit_soak.plans import CyclePlan, plan_cycle
from tests.deribit_soak.stories import stories
from tests.deribit_soak.trader import BEGUN, FINISH_SECONDS, finish, trade
from tests.deribit_soak.venue import PROCESSES, WAIT_SECONDS, Venue

FIRST_ORDER_SECONDS: Final = 3.0
"""Waited for the first accepted signal; where every instrument is busy there is none."""
PROGRESS_EVERY: Final = 20
AT_RANDOM: Final = "at a random moment"


@final
@frozen(kw_only=True)
class Verdict:
    """What was found; `wrong` is empty when every promise was kept, `told` are the stories of what was not."""

    totals: Totals
    wrong: tuple[str, ...]
    told: tuple[str, ...]


@final
@define
class Run:
    """What happened to the program and to the exchange."""

    kills: Counter[str] = field(factory=Counter)
    faults: dict[str, int] = field(factory=dict)


class ProcessFailed(Exception):
    """A process of the soak ended as none should: not by SIGKILL, or in trouble."""


@final
@frozen(kw_only=True)
class Program:
    """The program under test: the process that is killed, and the last one."""

    trade: Callable[[Places, str, CyclePlan, Connection], None] = trade
    finish: Callable[[Places, str], None] = finish


def soak(
    places: Places, cycles: int, seed: int, say: Callable[[str], None], run: Run, program: Program | None = None
) -> Verdict:
    """Kill and restart the program `cycles` times, let everything end, and hold the ledger against the journals.

    Raises:
        ProcessFailed: a process did not live and die as planned; its last words are in the log.
    """
    program = program or Program()
    chance = Random(seed)
    began = time.monotonic()
    with Venue(places, seed) as venue:
        for number in range(1, cycles + 1):
            plan = plan_cycle(chance, number)
            venue.prepare(plan)
            run.kills[_live_and_die(program, places, venue, plan)] += 1
            if number % PROGRESS_EVERY == 0 or number == cycles:
                seconds = time.monotonic() - began
                orders = venue.control.stats().orders
                say(f"cycle {number} of {cycles}: {orders} orders, {seconds:.0f} s")
        venue.calm_down()
        _end_everything(program, places, venue)
        run.faults = venue.fired()
        memory = venue.books()
    return judge(places, lambda ledger: disagreements(ledger, memory))


def judge(places: Places, more: Callable[[Books], tuple[str, ...]] = lambda ledger: ()) -> Verdict:
    """Hold what a run has left behind against itself."""
    evidence = read_evidence(places)
    wrong = violations(evidence) + more(evidence.books)
    return Verdict(totals=totals(evidence), wrong=wrong, told=stories(evidence, wrong))


def _live_and_die(program: Program, places: Places, venue: Venue, plan: CyclePlan) -> str:
    """One life; returns what ended it."""
    ours, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=program.trade, args=(places, venue.url, plan, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        with ours:
            _hear(ours, BEGUN, WAIT_SECONDS, process)
            if plan.kill.from_first_order:
                ours.poll(FIRST_ORDER_SECONDS)
            _watch(process, venue, plan)
        died_by_itself = process.exitcode is not None
    finally:
        _kill(process)
    if process.exitcode != -signal.SIGKILL or (died_by_itself and plan.kill.point is None):
        raise ProcessFailed(f"the program of cycle {plan.number} ended with {process.exitcode}: see {places.log}")
    return f"at fault point {plan.kill.point.value}" if died_by_itself and plan.kill.point is not None else AT_RANDOM


def _kill(process: BaseProcess) -> None:
    if process.exitcode is None and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
    process.join(WAIT_SECONDS)


def _hear(pipe: Connection, word: str, seconds: float, process: BaseProcess) -> None:
    if not pipe.poll(seconds):
        raise ProcessFailed(f"process {process.pid} has not said {word!r} after {seconds} s")
    try:
        said = pipe.recv()
    except EOFError:
        said = "nothing"
    if said != word:
        raise ProcessFailed(f"process {process.pid} said {said!r} instead of {word!r}")


def _watch(process: BaseProcess, venue: Venue, plan: CyclePlan) -> None:
    """Let the program live its time, while things happen at the exchange."""
    chance = Random(plan.seed)
    began = time.monotonic()
    for at, mishap in plan.mishaps:
        process.join(max(0.0, began + at - time.monotonic()))
        if process.exitcode is not None:
            return
        venue.cause(mishap, chance)
    process.join(max(0.0, began + plan.kill.after_seconds - time.monotonic()))


def _end_everything(program: Program, places: Places, venue: Venue) -> None:
    process = PROCESSES.Process(target=program.finish, args=(places, venue.url), daemon=True)
    process.start()
    process.join(FINISH_SECONDS + WAIT_SECONDS)
    code = process.exitcode
    _kill(process)
    if code != 0:
        raise ProcessFailed(f"the last process ended with {code}: see {places.log}")

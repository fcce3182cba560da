"""The program's last run: everything that was acknowledged ends, and is forgotten by every participant."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import final
from uuid import UUID

from saga_choreography import SagaId, SagaSystem, UnknownSaga
from saga_choreography.helpers.fault_points import nothing_happens
from tests.crash.ledger_lines import Op, Request, What, read_line
from tests.crash.operating import Operator
from tests.crash.outside import Outside, RemoteLedger
from tests.crash.plain_actors import CountLive, Shipper
from tests.crash.program import ACTORS, LANES, Incarnation, lane_name, open_system, start_in_lane

END_SECONDS = 90.0


def run_to_the_end(incarnation: Incarnation, ledger_file: Path, outcomes_file: Path) -> None:
    """The last process: everything acknowledged ends; write down what its handles say."""
    outside = RemoteLedger(incarnation.port, incarnation.run)
    with open_system(incarnation.path, outside, incarnation.durability, nothing_happens) as system:
        outcomes_file.write_text(json.dumps(end_all(system, outside, lambda: acknowledged(ledger_file))))


def end_all(system: SagaSystem, outside: Outside, acked: Callable[[], list[int]]) -> dict[str, str]:
    """Wait until every acknowledged saga has ended and no actor holds one; outcomes by id.

    A start that was committed and not acknowledged is started once more first: it is the same saga.
    """
    operator = Operator(system, outside)
    operator.start()
    try:
        for lane in range(LANES):
            position = outside.ask(Request(op=Op.NEXT, step=lane_name(lane))).count
            start_in_lane(system, outside, lane, lambda _: None, up_to=position + 1)
        outcomes: dict[str, str] = {}
        patience = Patience(END_SECONDS)
        while missing := [saga for saga in acked() if str(saga) not in outcomes]:
            for saga in missing:  # parents among them may start children, which are acknowledged meanwhile
                outcomes[str(saga)] = _end_of(system, SagaId(UUID(int=saga)), patience.left())
    finally:
        operator.stop()
    _wait_until_forgotten(system)
    return outcomes


@final
class Patience:
    """So much time in all, then hardly any: one saga that never ends must not hide what became of the others."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.1, self._until - time.monotonic())


def _end_of(system: SagaSystem, saga_id: SagaId, seconds: float) -> str:
    try:
        return type(system.handle(saga_id).wait_until_ended(seconds)).__name__
    except (TimeoutError, UnknownSaga) as error:
        return f"{type(error).__name__}: {error}"


def _wait_until_forgotten(system: SagaSystem) -> None:
    """The outcomes are still being told: wait until every participant has heard them, or the check will say so."""
    rest = threading.Event()
    for _ in range(500):
        refs = [ref for actor in (*ACTORS, Shipper) for ref in system.refs(actor)]
        if not any(ref.ask(CountLive(), timeout=60) for ref in refs):
            return
        rest.wait(0.02)


def acknowledged(ledger_file: Path) -> list[int]:
    """Ids of the sagas whose start was acknowledged, by the program or by a participant."""
    lines = (read_line(text) for text in ledger_file.read_text().splitlines())
    return [line.saga for line in lines if line.what is What.ACK]

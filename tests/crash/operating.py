"""The operator: resolves quarantined steps truthfully, by asking the ledger; sometimes undoes by hand."""

import threading
from typing import Literal, TypeAlias, final

from saga_choreography import QuarantinedRecord, SagaSystem, StepOutput
from saga_choreography.types import idempotency_key
from tests.crash.fates import fate
from tests.crash.ledger_lines import Op, Request, Standing
from tests.crash.outside import Outside, die_loudly
from tests.crash.tokens import Made

Word: TypeAlias = Literal["undone", "not_executed", "retry"] | StepOutput[Made, Made]

LOOK_SECONDS = 0.04


@final
class Operator:
    """A thread that looks for quarantined steps until it is stopped."""

    def __init__(self, system: SagaSystem, outside: Outside) -> None:
        self._system = system
        self._outside = outside
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="operator", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(60)

    def _run(self) -> None:
        try:
            while not self._stopping.wait(LOOK_SECONDS):
                for record in self._system.quarantined():
                    self._resolve(record)
        except Exception:
            die_loudly()

    def _resolve(self, record: QuarantinedRecord) -> None:
        key = idempotency_key(record.saga_id, record.step_name, "do")
        standing = self._outside.ask(Request(op=Op.PROBE, key=key)).standing
        luck = fate("operator", record.saga_id, record.attempts)
        if standing is Standing.UNDONE:
            self._say(record, "undone", "the ledger says that it is undone")
        elif luck < 350:
            self._say(record, "retry", "it may well go this time")
        elif standing is Standing.NOTHING:
            self._say(record, "not_executed", "the ledger does not know it")
        elif record.while_compensating or luck < 500:
            self._undo_by_hand(record, key)
            self._say(record, "undone", "undone by hand")
        else:
            made = Made(record.step_name, key)
            self._say(record, StepOutput(made, made), "the ledger has it")

    def _undo_by_hand(self, record: QuarantinedRecord, key: str) -> None:
        own_key = idempotency_key(record.saga_id, record.step_name, "undo")
        self._outside.ask(
            Request(
                op=Op.UNDO,
                saga=record.saga_id.int,
                step=record.step_name,
                key=own_key,
                of=key,
                attempt=record.attempts,
                note="by hand",
            )
        )

    def _say(self, record: QuarantinedRecord, word: Word, why: str) -> None:
        self._system.resolve(record.saga_id, record.step_name, word, by="operator", why=why)

"""The trading program as a process to be killed: `python -m tests.e2e.child_program DIR URL VALIDITY MARGIN`.

It sends itself one signal, prints `saga HEX` and then `fact ...` for every fact, and ends when its input does.
A line `cancel` on its input cancels the saga.
"""

import sys
from pathlib import Path
from uuid import UUID

from attrs import evolve

from deribit_example.actors.deribit_ws import Credentials, DeribitConfig, Secret
from deribit_example.actors.risk_manager import Accepted, Decision
from deribit_example.actors.ta_signal import Signal
from deribit_example.exchange import ExchangeConfig
from deribit_example.program import TradingProgram, start_deribit_ws
from saga_choreography import Durability, SagaChoreographyEvent, SagaId, SagaNotice
from saga_choreography.testing import describe
from tests.e2e.mock_books import BTC, MARK_PRICES
from tests.e2e.quick_settings import QUICK


class Printing:
    """Tells the parent every fact; a fact is told after its commit."""

    def on_event(self, event: SagaChoreographyEvent, /) -> None:
        say(f"fact {describe(event)}")

    def on_notice(self, notice: SagaNotice, /) -> None:
        say(f"notice {notice}")


def say(line: str) -> None:
    """One line to the parent, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(data_dir: Path, url: str, validity_millis: int, margin_millis: int) -> None:
    """Trade once, then wait to be killed."""
    account = ExchangeConfig().accounts[0]
    ws = start_deribit_ws(
        DeribitConfig(
            url=url,
            credentials=Credentials(client_id=account.client_id, client_secret=Secret(account.client_secret)),
        )
    )
    settings = evolve(QUICK, order_validity_millis=validity_millis, settle_margin_millis=margin_millis)

    def on_decision(decision: Decision) -> None:
        say(f"saga {decision.saga_id.hex}" if isinstance(decision, Accepted) else f"refused {decision}")

    with TradingProgram(
        data_dir,
        ws=ws,
        settings=settings,
        observers=(Printing(),),
        durability=Durability.PROCESS,
        on_decision=on_decision,
    ) as program:
        program.client.wait_until_ready(30_000)
        if not program.risk_state().holds:
            program.signal(
                Signal(
                    instrument=BTC,
                    side="buy",
                    confidence=0.9,
                    price=MARK_PRICES[BTC],
                    at_millis=1_790_000_000_000,
                    strategy="test",
                )
            )
        for line in sys.stdin:
            word, _, saga = line.strip().partition(" ")
            if word == "cancel":
                program.system.cancel_saga(SagaId(UUID(saga)), "the desk closes")
    ws.stop(timeout=10)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

"""prepare_order against a scripted connection."""

from collections import deque
from concurrent.futures import Future
from decimal import Decimal
from typing import cast
from uuid import UUID

import pytest
from attrs import evolve

from deribit_example.actors.deribit_ws import (
    BadReply,
    DeribitClient,
    DeribitCommand,
    DeribitError,
    Instrument,
    NotConnected,
    OutcomeUnknown,
    RequestRefused,
    RequestThrottled,
    Ticker,
)
from deribit_example.actors.deribit_ws.calls import answer, refuse
from deribit_example.actors.order_placer.saga.participant import OrderPlacerSteps
from deribit_example.saga.types import OrderIntent, PreparedOrder
from saga_choreography import (
    IdempotencyKey,
    PeerId,
    RetryableStepError,
    SagaContext,
    SagaId,
    StepOutput,
    TerminalStepError,
)

INSTRUMENT = Instrument(
    name="SOL_USDC-PERPETUAL",
    kind="future",
    settlement_currency="USDC",
    tick_size=Decimal("0.01"),
    tick_size_steps=(),
    min_trade_amount=Decimal("0.1"),
    contract_size=Decimal("0.1"),
    is_active=True,
)
TICKER = Ticker(
    instrument=INSTRUMENT.name,
    best_bid_price=None,
    best_ask_price=None,
    last_price=None,
    mark_price=Decimal(140),
    min_price=Decimal(130),
    max_price=Decimal(150),
    at_millis=0,
)
INTENT = OrderIntent(
    instrument=INSTRUMENT.name,
    side="sell",
    amount=Decimal("1.29"),
    price=Decimal("140.001"),
    confidence=0.9,
    strategy="t",
)
CONTEXT = SagaContext(
    saga_id=SagaId(UUID(int=1)),
    saga_type="deribit_order",
    step_name="prepare_order",
    initiator=PeerId("RiskManager"),
    saga_started_at_millis=0,
    attempt=1,
    idempotency_key=IdempotencyKey("1-prepare_order-do"),
)


class Script:
    """Answers each command with the next word of the script."""

    def __init__(self, *words: Instrument | Ticker | DeribitError) -> None:
        self.words = deque(words)

    def tell(self, message: DeribitCommand) -> None:
        word = self.words.popleft()
        if isinstance(word, DeribitError):
            refuse(message.reply, word)
        else:
            answer(cast("Future[object]", message.reply), word)


def run(script: Script, intent: OrderIntent = INTENT) -> StepOutput[PreparedOrder, None]:
    steps = OrderPlacerSteps()
    steps.client = DeribitClient(script)
    return steps.execute_step(CONTEXT, intent)


def test_the_order_is_rounded_and_knows_its_settlement_currency() -> None:
    assert run(Script(INSTRUMENT, TICKER)).output == PreparedOrder(
        instrument=INSTRUMENT.name,
        settlement_currency="USDC",
        side="sell",
        amount=Decimal("1.2"),
        price=Decimal("140.01"),
    )


def test_an_unknown_instrument_is_the_end() -> None:
    with pytest.raises(TerminalStepError, match="knows nothing"):
        run(Script(RequestRefused(13020, "not_found")))


def test_an_order_outside_the_band_is_the_end() -> None:
    with pytest.raises(TerminalStepError, match="above the band"):
        run(Script(INSTRUMENT, TICKER), evolve(INTENT, price=Decimal(151)))


@pytest.mark.parametrize(
    "error",
    [NotConnected("away"), OutcomeUnknown("lost"), RequestThrottled(10028, "too_many_requests"), BadReply("odd")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("before", [(), (INSTRUMENT,)], ids=["instrument", "ticker"])
def test_reading_is_tried_again_whatever_went_wrong(error: DeribitError, before: tuple[Instrument, ...]) -> None:
    with pytest.raises(RetryableStepError):
        run(Script(*before, error))

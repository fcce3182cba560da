"""Which signals become intents, what is held for them, and when the breaker opens."""

from decimal import Decimal
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from deribit_example.actors.risk_manager.business import (
    Rejected,
    RejectReason,
    RiskBook,
    RiskLimits,
    hold,
    judge,
    limit_price,
    notional_of,
    release,
)
from deribit_example.actors.ta_signal import Signal
from deribit_example.saga.types import OrderIntent
from saga_choreography import SagaId

BTC, SOL = "BTC-PERPETUAL", "SOL_USDC-PERPETUAL"
FIRST, SECOND = SagaId(UUID(int=1)), SagaId(UUID(int=2))
LIMITS = RiskLimits(
    order_amounts={BTC: Decimal(100), SOL: Decimal(2)},
    exposure_limit=Decimal(400),
    breaker_failures=2,
    breaker_cooldown_millis=1_000,
)
SIGNAL = Signal(instrument=BTC, side="buy", confidence=0.6, price=Decimal(84200), at_millis=0, strategy="t")


def intent(signal: Signal = SIGNAL, book: RiskBook | None = None) -> OrderIntent:
    judged = judge(signal, book or RiskBook(), LIMITS, 0)
    assert isinstance(judged, OrderIntent), judged
    return judged


def why_not(signal: Signal, book: RiskBook | None = None, now_millis: int = 0) -> RejectReason:
    judged = judge(signal, book or RiskBook(), LIMITS, now_millis)
    assert isinstance(judged, Rejected)
    assert judged.signal is signal
    assert judged.detail
    return judged.reason


def test_a_good_signal_becomes_an_intent_with_slippage_against_us() -> None:
    assert intent().price == Decimal("84368.4")
    assert intent(evolve(SIGNAL, side="sell")).price == Decimal("84031.6")
    assert (intent().amount, intent().instrument, intent().side) == (Decimal(100), BTC, "buy")


@pytest.mark.parametrize("confidence", [0.0, 0.5999999, float("nan")])
def test_too_little_confidence_is_rejected(confidence: float) -> None:
    assert why_not(evolve(SIGNAL, confidence=confidence)) is RejectReason.LOW_CONFIDENCE


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "sNaN"])
def test_a_price_that_is_none_is_not_trusted(price: str) -> None:
    assert why_not(evolve(SIGNAL, price=Decimal(price))) is RejectReason.LOW_CONFIDENCE


def test_an_instrument_without_an_amount_is_not_traded() -> None:
    assert why_not(evolve(SIGNAL, instrument="ETH-PERPETUAL")) is RejectReason.UNKNOWN_INSTRUMENT


def test_an_instrument_has_one_active_saga() -> None:
    book = hold(RiskBook(), FIRST, intent())
    assert why_not(SIGNAL, book) is RejectReason.INSTRUMENT_BUSY
    assert intent(evolve(SIGNAL, instrument=SOL, price=Decimal(100)), book).instrument == SOL


def test_inverse_amounts_are_dollars_and_linear_ones_are_coins() -> None:
    assert notional_of(BTC, Decimal(100), Decimal(84200)) == 100
    assert notional_of(SOL, Decimal(2), Decimal(140)) == 280


def test_exposure_may_reach_the_limit_but_not_pass_it() -> None:
    book = hold(RiskBook(), FIRST, intent())
    exactly = evolve(SIGNAL, instrument=SOL, side="sell", price=Decimal("150.3006012024048"))
    assert notional_of(SOL, Decimal(2), limit_price(exactly, LIMITS.price_slippage)) <= 300
    assert intent(exactly, book).instrument == SOL
    assert why_not(evolve(exactly, price=Decimal("150.31")), book) is RejectReason.EXPOSURE_LIMIT


@given(price=st.decimals(min_value="0.0001", max_value="1E7", places=4), slippage=st.decimals(0, "0.99", places=3))
def test_slippage_never_makes_a_price_better_or_negative(price: Decimal, slippage: Decimal) -> None:
    signal = evolve(SIGNAL, price=price)
    assert limit_price(signal, slippage) >= price
    assert 0 < limit_price(evolve(signal, side="sell"), slippage) <= price


@pytest.mark.parametrize("slippage", ["-0.001", "1"])
def test_slippage_must_be_a_fraction(slippage: str) -> None:
    with pytest.raises(ValueError, match="price_slippage"):
        RiskLimits(order_amounts={}, price_slippage=Decimal(slippage))


def test_an_outcome_frees_its_own_hold_once() -> None:
    book = hold(RiskBook(), FIRST, intent())
    book = hold(book, SECOND, intent(evolve(SIGNAL, instrument=SOL, price=Decimal(100)), book))
    freed = release(book, FIRST, LIMITS, 0, failed=True)
    assert list(freed.holds) == [SOL]
    assert freed.exposure == Decimal("200.4")
    assert freed.failures_in_a_row == 1
    assert release(freed, FIRST, LIMITS, 0, failed=True) is freed


def fail(book: RiskBook, saga: SagaId, now_millis: int) -> RiskBook:
    return release(hold(book, saga, intent()), saga, LIMITS, now_millis, failed=True)


def test_failures_in_a_row_open_the_breaker_for_its_time() -> None:
    book = fail(RiskBook(), FIRST, 0)
    assert intent(book=book).instrument == BTC
    book = fail(book, SECOND, 500)
    assert why_not(SIGNAL, book, 1_499) is RejectReason.CIRCUIT_OPEN
    assert isinstance(judge(SIGNAL, book, LIMITS, 1_500), OrderIntent)


def test_after_its_time_one_more_failure_opens_the_breaker_again() -> None:
    book = fail(fail(fail(RiskBook(), FIRST, 0), SECOND, 0), FIRST, 2_000)
    assert why_not(SIGNAL, book, 2_999) is RejectReason.CIRCUIT_OPEN


def test_a_success_ends_the_row() -> None:
    book = release(hold(fail(RiskBook(), FIRST, 0), SECOND, intent()), SECOND, LIMITS, 0, failed=False)
    assert book.failures_in_a_row == 0
    assert fail(book, FIRST, 0).open_until_millis == 0

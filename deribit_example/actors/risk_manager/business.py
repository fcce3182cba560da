"""Pure rules of risk: may this signal become an order? State in, state out; time is an argument (Unix milliseconds)."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias, final

from attrs import evolve, field, frozen, validators

from deribit_example.actors.ta_signal import Signal
from deribit_example.saga.types import OrderIntent
from saga_choreography import SagaId


@final
@frozen(kw_only=True)
class RiskLimits:
    """What the desk allows.

    `order_amounts`: amount of an order by instrument, in the instrument's unit; others are not traded.
    `exposure_limit`: most notional (USD) that live sagas may hold together. `price_slippage`: how much worse than the
    signal's price the limit price may be, as a fraction. The breaker opens for `breaker_cooldown_millis` after
    `breaker_failures` failed sagas in a row.
    """

    order_amounts: Mapping[str, Decimal]
    min_confidence: float = field(default=0.6, validator=[validators.ge(0.0), validators.le(1.0)])
    exposure_limit: Decimal = Decimal(100_000)
    price_slippage: Decimal = field(
        default=Decimal("0.002"), validator=[validators.ge(Decimal(0)), validators.lt(Decimal(1))]
    )
    breaker_failures: int = field(default=3, validator=validators.ge(1))
    breaker_cooldown_millis: int = field(default=60_000, validator=validators.ge(0))


@final
@frozen(kw_only=True)
class Hold:
    """What a live saga holds: its instrument and its notional (USD)."""

    saga_id: SagaId
    instrument: str
    notional: Decimal


_NO_HOLDS: Final[Mapping[str, Hold]] = {}


@final
@frozen(kw_only=True)
class RiskBook:
    """State of the risk manager: holds by instrument, and the circuit breaker."""

    holds: Mapping[str, Hold] = _NO_HOLDS
    failures_in_a_row: int = 0
    open_until_millis: int = 0

    @property
    def exposure(self) -> Decimal:
        """Notional (USD) held by live sagas."""
        return sum((hold.notional for hold in self.holds.values()), Decimal(0))


class RejectReason(Enum):
    """Why a signal became no order."""

    LOW_CONFIDENCE = "low_confidence"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    INSTRUMENT_BUSY = "instrument_busy"
    EXPOSURE_LIMIT = "exposure_limit"
    CIRCUIT_OPEN = "circuit_open"
    RATE_LIMITED = "rate_limited"
    BACKPRESSURE = "backpressure"


@final
@frozen(kw_only=True)
class Accepted:
    """A saga was started for the signal."""

    signal: Signal
    saga_id: SagaId
    intent: OrderIntent

    @property
    def instrument(self) -> str:
        return self.intent.instrument


@final
@frozen(kw_only=True)
class Rejected:
    """No saga was started."""

    signal: Signal
    reason: RejectReason
    detail: str


Decision: TypeAlias = Accepted | Rejected


def notional_of(instrument: str, amount: Decimal, price: Decimal) -> Decimal:
    """Notional in USD: inverse instruments are sized in USD, linear ones (`..._USDC-...`) in the coin."""
    return amount * price if "_USDC" in instrument else amount


def limit_price(signal: Signal, slippage: Decimal) -> Decimal:
    """The worst price we would trade at: above the signal's for a buy, below for a sell."""
    return signal.price * (1 + slippage if signal.side == "buy" else 1 - slippage)


def judge(signal: Signal, book: RiskBook, limits: RiskLimits, now_millis: int) -> OrderIntent | Rejected:
    """The intent of an order, or why there is none."""
    if not signal.confidence >= limits.min_confidence:  # also when it is not a number
        detail = f"confidence {signal.confidence:.2f} is below {limits.min_confidence:.2f}"
        return Rejected(signal=signal, reason=RejectReason.LOW_CONFIDENCE, detail=detail)
    if not signal.price.is_finite() or signal.price <= 0:
        detail = f"nothing can be traded at {signal.price}"
        return Rejected(signal=signal, reason=RejectReason.LOW_CONFIDENCE, detail=detail)
    amount = limits.order_amounts.get(signal.instrument)
    if amount is None:
        detail = f"{signal.instrument} is not traded here"
        return Rejected(signal=signal, reason=RejectReason.UNKNOWN_INSTRUMENT, detail=detail)
    if now_millis < book.open_until_millis:
        detail = (
            f"{book.failures_in_a_row} sagas failed in a row; closed for {book.open_until_millis - now_millis} ms more"
        )
        return Rejected(signal=signal, reason=RejectReason.CIRCUIT_OPEN, detail=detail)
    held = book.holds.get(signal.instrument)
    if held is not None:
        detail = f"saga {held.saga_id} is active in {signal.instrument}"
        return Rejected(signal=signal, reason=RejectReason.INSTRUMENT_BUSY, detail=detail)
    price = limit_price(signal, limits.price_slippage)
    wanted = notional_of(signal.instrument, amount, price)
    if book.exposure + wanted > limits.exposure_limit:
        detail = f"{book.exposure} USD held and {wanted} wanted exceed {limits.exposure_limit}"
        return Rejected(signal=signal, reason=RejectReason.EXPOSURE_LIMIT, detail=detail)
    return OrderIntent(
        instrument=signal.instrument,
        side=signal.side,
        amount=amount,
        price=price,
        confidence=signal.confidence,
        strategy=signal.strategy,
    )


def hold(book: RiskBook, saga_id: SagaId, intent: OrderIntent) -> RiskBook:
    """The book with a live saga in it."""
    notional = notional_of(intent.instrument, intent.amount, intent.price)
    held = Hold(saga_id=saga_id, instrument=intent.instrument, notional=notional)
    return evolve(book, holds={**book.holds, intent.instrument: held})


def release(book: RiskBook, saga_id: SagaId, limits: RiskLimits, now_millis: int, *, failed: bool) -> RiskBook:
    """The book after a saga's outcome: its hold is free, and the breaker has counted. A repeat changes nothing."""
    holds = {instrument: held for instrument, held in book.holds.items() if held.saga_id != saga_id}
    if len(holds) == len(book.holds):
        return book
    failures = book.failures_in_a_row + 1 if failed else 0
    opens = failed and failures >= limits.breaker_failures
    until = now_millis + limits.breaker_cooldown_millis if opens else book.open_until_millis
    return RiskBook(holds=holds, failures_in_a_row=failures, open_until_millis=until)

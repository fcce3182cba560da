"""The program whose journals are kept: its payload classes (one field of every kind), steps, actors and one value each.

Nothing here changes with the library. A later release is tested against what this program left on the medium.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Final, TypedDict
from uuid import UUID

from attrs import field, frozen

from saga_choreography import (
    InDoubt,
    RetryPolicy,
    Saga,
    SagaActor,
    SagaContext,
    SagaWorkflow,
    Step,
    StepOutput,
    all_of,
    any_of,
    complete_pending,
    stored_as,
    versioned,
)

QUICK: Final = RetryPolicy(
    max_attempts=3, initial_delay_millis=1, max_delay_millis=5, backoff_multiplier=1.5, jitter=0.25
)


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Address(TypedDict):
    street: str
    number: int


@frozen
class Leg:
    instrument: str
    amount: Decimal


@dataclass(frozen=True)
class Parcel:
    weight: float
    fragile: bool = False


@frozen
class ByCard:
    number: str


@frozen
class ByTransfer:
    iban: str


@frozen
class Order:
    side: Side
    level: Level
    legs: tuple[Leg, ...]
    pair: tuple[int, str]
    names: list[str]
    tags: frozenset[str]
    counts: dict[str, int]
    key: UUID
    at: datetime
    day: date
    address: Address
    parcel: Parcel
    paid: ByCard | ByTransfer
    blob: bytes
    note: str | None = None
    limit: Decimal = field(default=Decimal(0), metadata=stored_as("price"))


def with_shelf(old: dict[str, object]) -> Mapping[str, object]:
    return {**old, "shelf": "A"}


@versioned(2, {1: with_shelf})
@frozen
class Reservation:
    number: int
    shelf: str


@frozen
class Release:
    reservation: int = field(metadata=stored_as("reservation", formerly=("number",)))


ORDER: Final = Saga("golden", Order)
RESERVE: Final = Step[Order, Reservation, Release](
    "reserve", Reservation, after=ORDER, undo=Release, retry=QUICK, compensation_retry=QUICK
)
PAY: Final = Step[tuple[Order, Reservation], bytes, bytes](
    "pay",
    bytes,
    after=all_of(ORDER, RESERVE),
    undo=bytes,
    retry=QUICK,
    compensation_retry=QUICK,
    in_doubt=InDoubt.RETRY,
    in_doubt_attempts=7,
)
# A choice without a choice, so that every form of a dependency is kept.
SHIP: Final = Step[bytes, Parcel]("ship", Parcel, after=any_of(PAY, PAY), compensation_retry=QUICK)
GOLDEN: Final = SagaWorkflow(
    ORDER, steps=(RESERVE, PAY, SHIP), overall_timeout_millis=10 * 365 * 86_400_000, stalled_timeout_millis=None
)

AN_ORDER: Final = Order(
    side=Side.SELL,
    level=Level.HIGH,
    legs=(Leg("BTC-PERPETUAL", Decimal("-0.10")), Leg("ETH", Decimal("1E+3"))),
    pair=(-(2**63), "ß"),
    names=["a", "", "\N{SNOWMAN}"],
    tags=frozenset({"x", "y", "z"}),
    counts={"one": 1, "many": 2**63},
    key=UUID(int=0x0123456789ABCDEF0123456789ABCDEF),
    at=datetime(2026, 2, 3, 4, 5, 6, 789, UTC),
    day=date(2026, 2, 3),
    address={"street": "Main", "number": 7},
    parcel=Parcel(0.5, fragile=True),
    paid=ByTransfer("DE1"),
    blob=bytes(range(256)),
    limit=Decimal("12.50"),
)
A_RESERVATION: Final = Reservation(41, "B")
A_RELEASE: Final = Release(41)
A_RECEIPT: Final = b"\x00receipt\xff"
A_REFUND: Final = b""
A_PARCEL: Final = Parcel(1.25)

VALUES: Final[Mapping[str, tuple[type, object]]] = {
    "order": (Order, AN_ORDER),
    "reservation": (Reservation, A_RESERVATION),
    "release": (Release, A_RELEASE),
    "receipt": (bytes, A_RECEIPT),
    "refund": (bytes, A_REFUND),
    "parcel": (Parcel, A_PARCEL),
    "nothing": (type(None), None),
    "number": (int, -7),
    "float": (float, 0.1),
    "truth": (bool, True),
    "text": (str, "text"),
    "mapping": (dict[str, Leg], {"a": Leg("x", Decimal(1))}),
    "set": (set[int], {3, 1, 2}),
    "pair": (tuple[Leg, Reservation], (Leg("x", Decimal(1)), A_RESERVATION)),
}
"""One value of every kind of payload, with its declared type."""


class Done:
    """What the actors of a later run have done: (step or "undo step", idempotency key)."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []


class Reserver(SagaActor[Order, Reservation, Release]):
    step = RESERVE

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done

    def execute_step(self, context: SagaContext, step_input: Order) -> StepOutput[Reservation, Release]:
        assert step_input == AN_ORDER
        self.done.calls.append(("reserve", context.idempotency_key))
        return StepOutput(A_RESERVATION, A_RELEASE)

    def compensate_step(self, context: SagaContext, undo: Release) -> None:
        assert undo == A_RELEASE
        self.done.calls.append(("undo reserve", context.idempotency_key))


class Payer(SagaActor[tuple[Order, Reservation], bytes, bytes]):
    step = PAY

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done

    def execute_step(self, context: SagaContext, step_input: tuple[Order, Reservation]) -> StepOutput[bytes, bytes]:
        assert step_input == (AN_ORDER, A_RESERVATION)
        self.done.calls.append(("pay", context.idempotency_key))
        return StepOutput(A_RECEIPT, A_REFUND)

    def compensate_step(self, context: SagaContext, undo: bytes) -> None:
        assert undo == A_REFUND
        self.done.calls.append(("undo pay", context.idempotency_key))

    def resume_pending(self, context: SagaContext, step_input: tuple[Order, Reservation]) -> None:
        assert step_input == (AN_ORDER, A_RESERVATION)
        self.done.calls.append(("resume pay", context.idempotency_key))
        complete_pending(self, context.saga_id, StepOutput(A_RECEIPT, A_REFUND))


class Shipper(SagaActor[bytes, Parcel, None]):
    step = SHIP

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done

    def execute_step(self, context: SagaContext, step_input: bytes) -> StepOutput[Parcel, None]:
        assert step_input == A_RECEIPT
        self.done.calls.append(("ship", context.idempotency_key))
        return StepOutput(A_PARCEL, None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        self.done.calls.append(("undo ship", context.idempotency_key))

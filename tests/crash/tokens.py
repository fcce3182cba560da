"""Eight saga types that share one program; what is drawn is who waits for whom.

diamond   root > left, right > join                     chain    one > two > three > four > five
race      fast, slow > winner (any of both)             fan      start > price (pure) > ship (two shards); start > bill
deferred  reserve > order (pending) > confirm           vault    check > open (quarantine, probe) > close
parent    prepare > delegate (pending: its child saga) > finish          child    begin > end
"""

from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Final
from uuid import UUID

from attrs import frozen
from typing_extensions import TypeVar

from saga_choreography import InDoubt, RetryPolicy, Saga, SagaId, SagaWorkflow, Step, all_of, any_of
from saga_choreography.traits.subscription import Source

In = TypeVar("In")

QUICK: Final = RetryPolicy(max_attempts=4, initial_delay_millis=1, max_delay_millis=20)
PATIENT: Final = RetryPolicy(max_attempts=1000, initial_delay_millis=1, max_delay_millis=20)
MANY: Final = 1000
"""Kills count as attempts: a step in doubt may meet many of them."""


@frozen
class Order:
    number: int


@frozen
class Made:
    """What a step gives: who made it, and under which key."""

    by: str
    key: str


@frozen
class Price:
    amount: int


def _step(name: str, after: Source[In], in_doubt: InDoubt = InDoubt.RETRY) -> Step[In, Made, Made]:
    return Step[In, Made, Made](
        name,
        Made,
        after=after,
        undo=Made,
        retry=QUICK,
        compensation_retry=PATIENT,
        in_doubt=in_doubt,
        in_doubt_attempts=MANY,
    )


DIAMOND: Final = Saga("diamond", Order)
ROOT: Final = _step("root", DIAMOND)
LEFT: Final = _step("left", ROOT)
RIGHT: Final = _step("right", ROOT)
JOIN: Final = _step("join", all_of(LEFT, RIGHT))

CHAIN: Final = Saga("chain", Order)
ONE: Final = _step("one", CHAIN)
TWO: Final = _step("two", ONE)
THREE: Final = _step("three", TWO)
FOUR: Final = _step("four", THREE)
FIVE: Final = _step("five", FOUR)

RACE: Final = Saga("race", Order)
FAST: Final = _step("fast", RACE)
SLOW: Final = _step("slow", RACE)
WINNER: Final = _step("winner", any_of(FAST, SLOW))

FAN: Final = Saga("fan", Order)
START: Final = _step("start", FAN)
PRICE: Final = Step[Made, Price]("price", Price, after=START, retry=QUICK, in_doubt_attempts=MANY, pure=True)
SHIP: Final = Step[Price, Made](
    "ship", Made, after=PRICE, retry=QUICK, compensation_retry=PATIENT, in_doubt_attempts=MANY
)
BILL: Final = _step("bill", START)

DEFERRED: Final = Saga("deferred", Order)
RESERVE: Final = _step("reserve", DEFERRED)
ORDER: Final = _step("order", RESERVE)
CONFIRM: Final = _step("confirm", ORDER)

VAULT: Final = Saga("vault", Order)
CHECK: Final = _step("check", VAULT)
OPEN: Final = _step("open", CHECK, InDoubt.QUARANTINE)
CLOSE: Final = _step("close", OPEN)

PARENT: Final = Saga("parent", Order)
PREPARE: Final = _step("prepare", PARENT)
DELEGATE: Final = _step("delegate", PREPARE)
FINISH: Final = _step("finish", DELEGATE)

CHILD: Final = Saga("child", Order)
BEGIN: Final = _step("begin", CHILD)
END: Final = _step("end", BEGIN)

CHILD_WORKFLOW: Final = SagaWorkflow(CHILD, steps=(BEGIN, END), overall_timeout_millis=8_000)
WORKFLOWS: Final = (
    SagaWorkflow(DIAMOND, steps=(ROOT, LEFT, RIGHT, JOIN)),
    SagaWorkflow(CHAIN, steps=(ONE, TWO, THREE, FOUR, FIVE), overall_timeout_millis=1_200),
    SagaWorkflow(RACE, steps=(FAST, SLOW, WINNER), stalled_timeout_millis=250),
    SagaWorkflow(FAN, steps=(START, PRICE, SHIP, BILL), overall_timeout_millis=3_000, stalled_timeout_millis=600),
    SagaWorkflow(DEFERRED, steps=(RESERVE, ORDER, CONFIRM), overall_timeout_millis=2_000),
    SagaWorkflow(VAULT, steps=(CHECK, OPEN, CLOSE), overall_timeout_millis=4_000),
    SagaWorkflow(PARENT, steps=(PREPARE, DELEGATE, FINISH), stalled_timeout_millis=2_000),
)
"""What the program starts; the child sagas are started by a participant."""

_KINDS: Final[Mapping[str, int]] = MappingProxyType(
    {workflow.saga.name: kind for kind, workflow in enumerate((*WORKFLOWS, CHILD_WORKFLOW))}
)
_KIND_SHIFT: Final = 64
_OURS: Final = 1 << 100


def saga_id_of(saga_type: str, number: int) -> SagaId:
    """The id of a saga by type and number, the same in every process."""
    return SagaId(UUID(int=_OURS + (_KINDS[saga_type] << _KIND_SHIFT) + number))


def number_of(saga_id: SagaId) -> int:
    """The number behind an id."""
    return saga_id.int & ((1 << _KIND_SHIFT) - 1)


def workflow_of(number: int) -> SagaWorkflow[Order]:
    """Which workflow the program starts under a number: a random mix, the same in every process."""
    return WORKFLOWS[blake2b(f"workflow {number}".encode(), digest_size=4).digest()[0] % len(WORKFLOWS)]

"""The three steps as plain functions on the payloads of `bench.work`; and payloads as JSON, for who stores that."""

from typing import Final, TypeVar

from cattrs.preconf.json import JsonConverter, make_converter

from bench.work import Filled, Order, Placed, Prepared

T = TypeVar("T")

PAYLOADS: Final = (Order, Prepared, Placed, Filled)
PLAIN: Final[JsonConverter] = make_converter()


def dumps(payload: object) -> bytes:
    return PLAIN.dumps(payload).encode()


def loads(stored: bytes, kind: type[T]) -> T:
    return PLAIN.loads(stored, kind)


def key(saga: str, step: str) -> str:
    """The idempotency key that a step passes on, made of the peer's own id of the saga; as long as ours."""
    return f"{saga.replace('-', '')[:32]}-{step}-do"


def prepare(order: Order, saga: str) -> Prepared:
    return Prepared(order, key(saga, "prepare"))


def place(prepared: Prepared, saga: str) -> Placed:
    return Placed(prepared.order, key(saga, "place"))


def monitor(placed: Placed) -> Filled:
    return Filled(placed.order_id, placed.order.price, placed.order.amount)

"""Restate: the saga as a handler of a service with three durable steps; `app` is what a web server serves.

A plain service, as its guide to sagas has it: a workflow or a virtual object would take a key and its lock on top.
Payloads are stored as JSON, its default, by a serde of our own, for they are attrs classes.
"""

from typing import Generic, TypeVar

import restate
from restate.serde import Serde

from bench.peers import steps
from bench.work import Filled, Order, Placed, Prepared

T = TypeVar("T")

orders = restate.Service("Orders")


class Payload(Serde[T], Generic[T]):
    """A payload as JSON."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind

    def serialize(self, obj: T | None) -> bytes:
        return b"" if obj is None else steps.dumps(obj)

    def deserialize(self, buf: bytes) -> T | None:
        return steps.loads(buf, self._kind) if buf else None


_PREPARED = restate.RunOptions(serde=Payload(Prepared))
_PLACED = restate.RunOptions(serde=Payload(Placed))
_FILLED = restate.RunOptions(serde=Payload(Filled))


@orders.handler(input_serde=Payload(Order), output_serde=Payload(Filled))
async def run(context: restate.Context, order: Order) -> Filled:
    saga = context.request().id
    prepared = await context.run_typed("prepare", steps.prepare, _PREPARED, order, saga)
    placed = await context.run_typed("place", steps.place, _PLACED, prepared, saga)
    filled = await context.run_typed("monitor", steps.monitor, _FILLED, placed)
    assert isinstance(filled, Filled)
    return filled


app = restate.app([orders])

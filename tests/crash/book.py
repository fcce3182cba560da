"""The ledger's rules, without files, sockets or a clock: at most one effect a key, and nothing is done after its undo.

Every attempt becomes a line. What must not happen becomes a line too, as a violation.
"""

from collections import Counter
from typing import assert_never, final

from attrs import frozen

from tests.crash.ledger_lines import Answer, Line, Op, Request, Standing, What


@final
@frozen
class _Order:
    request: Request
    due_millis: int


@final
class Book:
    """What happened outside. `take_lines` gives what is new since the last call."""

    def __init__(self) -> None:
        self._standings: dict[str, Standing] = {}
        self._orders: dict[str, _Order] = {}
        self._acked: Counter[str] = Counter()
        self._acks: set[int] = set()
        self._new: list[Line] = []

    def take_lines(self) -> list[Line]:
        new, self._new = self._new, []
        return new

    def standing(self, key: str) -> Standing:
        return self._standings.get(key, Standing.NOTHING)

    @property
    def next_due_millis(self) -> int | None:
        """When the next order ends; None: no order is pending."""
        return min((order.due_millis for order in self._orders.values()), default=None)

    def handle(self, request: Request, now_millis: int) -> Answer:
        """Apply one request."""
        match request.op:
            case Op.DO:
                self._do(request)
            case Op.UNDO:
                self._undo(request)
            case Op.SUBMIT:
                self._submit(request, now_millis)
            case Op.CANCEL:
                self._cancel(request)
            case Op.ACK:
                if request.saga not in self._acks:
                    self._acks.add(request.saga)
                    self._acked[request.step] += 1
                    self._note(What.ACK, request, effect=True)
            case Op.NOTICE:
                self._note(What.NOTICE, request, effect=False)
            case Op.NEXT:
                return Answer(count=self._acked[request.step])
            case Op.PROBE | Op.AWAIT | Op.SETTLE | Op.IDLE:
                pass
            case _:
                assert_never(request.op)
        return Answer(self.standing(request.of or request.key))

    def end_orders(self, now_millis: int) -> list[str]:
        """End the orders that are due; returns their keys."""
        ended = [key for key, order in self._orders.items() if order.due_millis <= now_millis]
        for key in ended:
            request = self._orders.pop(key).request
            self._standings[key] = Standing.REFUSED if request.refuse else Standing.DONE
            self._note(What.REFUSE if request.refuse else What.DO, request, effect=not request.refuse)
        return ended

    def _note(self, what: What, request: Request, *, effect: bool, note: str = "") -> None:
        self._new.append(
            Line(
                what=what,
                saga=request.saga,
                step=request.step,
                key=request.key,
                attempt=request.attempt,
                run=request.run,
                effect=effect,
                note=note or request.note,
            )
        )

    def _do(self, request: Request) -> None:
        before = self.standing(request.key)
        self._note(What.DO, request, effect=before is Standing.NOTHING)
        if before is Standing.NOTHING:
            self._standings[request.key] = Standing.DONE
        elif before is not Standing.DONE:
            self._note(What.VIOLATION, request, effect=False, note=f"do of what is {before.value}")

    def _undo(self, request: Request) -> None:
        before = self.standing(request.of)
        self._note(What.UNDO, request, effect=before is Standing.DONE)
        if before is Standing.DONE:
            self._standings[request.of] = Standing.UNDONE
        elif before is not Standing.UNDONE:
            self._note(What.VIOLATION, request, effect=False, note=f"undo of {request.of}, which is {before.value}")

    def _submit(self, request: Request, now_millis: int) -> None:
        before = self.standing(request.key)
        self._note(What.SUBMIT, request, effect=False)
        if before is Standing.NOTHING:
            self._standings[request.key] = Standing.PENDING
            self._orders[request.key] = _Order(request, now_millis + request.after)
        elif before is Standing.UNDONE:
            self._note(What.VIOLATION, request, effect=False, note="submitted again after it was undone")

    def _cancel(self, request: Request) -> None:
        self._note(What.CANCEL, request, effect=False)
        if self.standing(request.key) in (Standing.NOTHING, Standing.PENDING):
            self._orders.pop(request.key, None)
            self._standings[request.key] = Standing.CANCELLED

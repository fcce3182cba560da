"""What travels to the outside ledger, and what it keeps: one JSON line each."""

import json
from enum import Enum, unique
from typing import final

from attrs import frozen


@unique
class Op(Enum):
    """What a program, or the driver, asks of the ledger."""

    DO = "do"
    UNDO = "undo"
    SUBMIT = "submit"
    """Have the effect after a while: the order ends by itself, done or refused."""
    CANCEL = "cancel"
    PROBE = "probe"
    AWAIT = "await"
    """Answered when the order has ended."""
    ACK = "ack"
    """The start of a saga was acknowledged."""
    NEXT = "next"
    """How many starts of a lane were acknowledged."""
    NOTICE = "notice"
    SETTLE = "settle"
    """Answered when every other connection has been read to its end and closed."""
    IDLE = "idle"
    """Answered when no order is pending."""


@unique
class Standing(Enum):
    """What the ledger knows of a key."""

    NOTHING = "nothing"
    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNDONE = "undone"


ENDED = frozenset({Standing.DONE, Standing.REFUSED, Standing.CANCELLED, Standing.UNDONE})
"""An order that stands so will not have its effect any more, or has had it."""


@final
@frozen(kw_only=True)
class Request:
    """One request. `of` is the key an undo undoes; `hold` and `after` are milliseconds, `step` may name a lane."""

    op: Op
    saga: int = 0
    step: str = ""
    key: str = ""
    of: str = ""
    attempt: int = 0
    run: int = 0
    hold: int = 0
    after: int = 0
    refuse: bool = False
    note: str = ""


def request_line(number: int, request: Request) -> bytes:
    """A request on the wire."""
    r = request
    fields = [number, r.op.value, r.saga, r.step, r.key, r.of, r.attempt, r.run, r.hold, r.after, r.refuse, r.note]
    return json.dumps(fields).encode() + b"\n"


def read_request(line: bytes) -> tuple[int, Request]:
    """The number and the request of a line."""
    number, op, saga, step, key, of, attempt, run, hold, after, refuse, note = json.loads(line)
    return number, Request(
        op=Op(op),
        saga=saga,
        step=step,
        key=key,
        of=of,
        attempt=attempt,
        run=run,
        hold=hold,
        after=after,
        refuse=refuse,
        note=note,
    )


@final
@frozen
class Answer:
    """How the key stands now; `count` answers NEXT."""

    standing: Standing = Standing.NOTHING
    count: int = 0


def answer_line(number: int, answer: Answer) -> bytes:
    """An answer on the wire."""
    return json.dumps([number, answer.standing.value, answer.count]).encode() + b"\n"


def read_answer(line: bytes) -> tuple[int, Answer]:
    """The number and the answer of a line."""
    number, standing, count = json.loads(line)
    return number, Answer(Standing(standing), count)


@unique
class What(Enum):
    """What a line of the ledger says."""

    DO = "do"
    UNDO = "undo"
    SUBMIT = "submit"
    REFUSE = "refuse"
    CANCEL = "cancel"
    ACK = "ack"
    NOTICE = "notice"
    VIOLATION = "violation"


@final
@frozen(kw_only=True)
class Line:
    """One line of the ledger: an attempt, in which incarnation (`run`) it was made, and whether it changed anything."""

    what: What
    saga: int = 0
    step: str = ""
    key: str = ""
    attempt: int = 0
    run: int = 0
    effect: bool = False
    note: str = ""

    def encoded(self) -> bytes:
        fields = [self.what.value, self.saga, self.step, self.key, self.attempt, self.run, self.effect, self.note]
        return json.dumps(fields).encode() + b"\n"

    def __str__(self) -> str:
        effect = "*" if self.effect else " "
        return (
            f"{effect} {self.what.value:9} {self.step:10} attempt {self.attempt} run {self.run} {self.key} {self.note}"
        )


def read_line(text: str) -> Line:
    """A line of the ledger's file."""
    what, saga, step, key, attempt, run, effect, note = json.loads(text)
    return Line(what=What(what), saga=saga, step=step, key=key, attempt=attempt, run=run, effect=effect, note=note)

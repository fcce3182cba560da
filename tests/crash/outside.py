"""The world outside, as a program sees it: requests to the ledger that return when they are on disk there."""

import itertools
import os
import socket
import threading
import traceback
from collections.abc import Callable
from typing import Protocol, final

from attrs import evolve

from saga_choreography import SagaContext
from tests.crash.ledger_lines import Answer, Op, Request, Standing, read_answer, request_line

CONNECT_SECONDS = 30.0
ANSWER_SECONDS = 60.0


class Outside(Protocol):
    """The ledger, near or far."""

    def ask(self, request: Request) -> Answer:
        """Returns when the ledger has it on disk."""
        ...

    def watch(self, key: str, on_end: Callable[[Standing], None]) -> None:
        """Have `on_end` called, on a thread of the ledger's, when an order has ended."""
        ...


def attempt_request(op: Op, context: SagaContext, *, of: str = "", hold: int = 0) -> Request:
    """A request on behalf of one attempt of a step."""
    return Request(
        op=op,
        saga=context.saga_id.int,
        step=context.step_name,
        key=context.idempotency_key,
        of=of,
        attempt=context.attempt,
        hold=hold,
    )


def die_loudly() -> None:
    """The program cannot go on: say why, and end with a code the driver does not take for a kill."""
    traceback.print_exc()
    os._exit(70)


@final
class _Line:
    """One connection; answers come back by number."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), CONNECT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(ANSWER_SECONDS)
        self._rest = b""

    def send(self, line: bytes) -> None:
        self._socket.sendall(line)

    def wait_without_end(self) -> None:
        self._socket.settimeout(None)

    def receive(self) -> list[tuple[int, Answer]]:
        """Answers, at least one."""
        while True:
            *lines, self._rest = self._rest.split(b"\n")
            if lines:
                return [read_answer(line) for line in lines]
            chunk = self._socket.recv(1 << 16)
            if not chunk:
                raise ConnectionError("the ledger has closed the connection")
            self._rest += chunk

    def close(self) -> None:
        self._socket.close()


@final
class RemoteLedger:
    """The ledger's process, over loopback; each thread has a connection of its own. `run` numbers the incarnation."""

    def __init__(self, port: int, run: int) -> None:
        self._port = port
        self._run = run
        self._own = threading.local()
        self._guard = threading.Lock()
        self._numbers = itertools.count(1)
        self._watched: dict[int, Callable[[Standing], None]] = {}
        self._watching: _Line | None = None

    def ask(self, request: Request) -> Answer:
        line: _Line | None = getattr(self._own, "line", None)
        if line is None:
            line = self._own.line = _Line(self._port)
        line.send(request_line(0, evolve(request, run=self._run)))
        ((_, answer),) = line.receive()
        return answer

    def watch(self, key: str, on_end: Callable[[Standing], None]) -> None:
        with self._guard:
            if self._watching is None:
                self._watching = _Line(self._port)
                self._watching.wait_without_end()
                threading.Thread(target=self._listen, args=(self._watching,), daemon=True).start()
            number = next(self._numbers)
            self._watched[number] = on_end
            self._watching.send(request_line(number, Request(op=Op.AWAIT, key=key, run=self._run)))

    def close(self) -> None:
        """Close the connection of this thread; the others close with the process."""
        line: _Line | None = getattr(self._own, "line", None)
        if line is not None:
            line.close()
            del self._own.line

    def _listen(self, line: _Line) -> None:
        try:
            while True:
                for number, answer in line.receive():
                    with self._guard:
                        on_end = self._watched.pop(number)
                    on_end(answer.standing)
        except Exception:
            die_loudly()

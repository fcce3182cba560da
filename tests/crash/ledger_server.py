"""The ledger's process: it is never killed, and answers a request only when its line is on disk.

One thread serves everybody in turns: read what has come, apply it, write all lines with one fsync, then answer.
"""

import heapq
import itertools
import os
import selectors
import socket
import time
from collections import defaultdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import final

from tests.crash.book import Book
from tests.crash.ledger_lines import ENDED, Answer, Op, Request, Standing, answer_line, read_request


@final
class _Client:
    """One connection: the bytes of an unfinished line."""

    def __init__(self, line: socket.socket) -> None:
        self.socket = line
        self.rest = b""


@final
class LedgerServer:
    """Serves one book on a loopback port, until the pipe to the driver is closed."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._book = Book()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._clients: dict[socket.socket, _Client] = {}
        self._held: list[tuple[int, int, _Client, bytes]] = []
        self._order = itertools.count()
        self._awaiting: dict[str, list[tuple[_Client, int]]] = defaultdict(list)
        self._settling: list[tuple[_Client, int]] = []
        self._idling: list[tuple[_Client, int]] = []

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def serve(self, driver: Connection) -> None:
        """Serve until the driver closes its end, or ends."""
        self._selector.register(driver, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select(self._timeout()):
                if key.fileobj is driver:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._read(self._clients[key.fileobj])
            now = _now_millis()
            for ended in self._book.end_orders(now):
                self._order_ended(ended)
            self._write()
            self._answer(now)

    def _timeout(self) -> float | None:
        due = [at for at in (self._book.next_due_millis, self._held[0][0] if self._held else None) if at is not None]
        return max(0, min(due) - _now_millis()) / 1000 if due else None

    def _accept(self) -> None:
        line, _ = self._listener.accept()
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[line] = _Client(line)
        self._selector.register(line, selectors.EVENT_READ)

    def _read(self, client: _Client) -> None:
        try:
            chunk = client.socket.recv(1 << 16)
        except ConnectionError:
            chunk = b""  # its process was killed
        if not chunk:
            self._drop(client)
            return
        *lines, client.rest = (client.rest + chunk).split(b"\n")
        for line in lines:
            self._take(client, *read_request(line))

    def _take(self, client: _Client, number: int, request: Request) -> None:
        now = _now_millis()
        answer = self._book.handle(request, now)
        if request.op is Op.AWAIT and answer.standing not in ENDED:
            self._awaiting[request.key].append((client, number))
        elif request.op is Op.SETTLE:
            self._settling.append((client, number))
        elif request.op is Op.IDLE:
            self._idling.append((client, number))
        else:
            if request.op is Op.CANCEL and answer.standing is Standing.CANCELLED:
                self._order_ended(request.key)
            self._reply(client, number, answer, now + request.hold if request.hold else 0)

    def _reply(self, client: _Client, number: int, answer: Answer, at_millis: int = 0) -> None:
        heapq.heappush(self._held, (at_millis, next(self._order), client, answer_line(number, answer)))

    def _order_ended(self, key: str) -> None:
        for client, number in self._awaiting.pop(key, ()):
            self._reply(client, number, Answer(self._book.standing(key)))

    def _write(self) -> None:
        lines = self._book.take_lines()
        if lines:
            os.write(self._file, b"".join(line.encoded() for line in lines))
            os.fsync(self._file)

    def _answer(self, now_millis: int) -> None:
        if self._book.next_due_millis is None:
            self._release(self._idling)
        if all(any(client is waiting for waiting, _ in self._settling) for client in self._clients.values()):
            self._release(self._settling)
        while self._held and self._held[0][0] <= now_millis:
            _, _, client, line = heapq.heappop(self._held)
            if client.socket in self._clients:
                try:
                    client.socket.sendall(line)
                except ConnectionError:
                    self._drop(client)

    def _release(self, waiting: list[tuple[_Client, int]]) -> None:
        for client, number in waiting:
            self._reply(client, number, Answer())
        waiting.clear()

    def _drop(self, client: _Client) -> None:
        self._selector.unregister(client.socket)
        del self._clients[client.socket]
        client.socket.close()


def _now_millis() -> int:
    return time.monotonic_ns() // 1_000_000


def serve_ledger(path: Path, driver: Connection) -> None:
    """The ledger's process: tell the driver the port, then serve."""
    server = LedgerServer(path)
    driver.send(server.port)
    server.serve(driver)

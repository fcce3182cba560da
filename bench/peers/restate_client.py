"""Restate: sagas are sent to its server and awaited over HTTP.

`start` sends an invocation, which the server has stored when it answers; the result is awaited by attaching to it. Both
go through the ingress over connections that are kept, one a client thread, by the standard library: the client of the
SDK does the same requests by way of httpx, at more processor time in the measured process.
"""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from bench.drive import Start, Wait
from bench.peers import restate_binary, steps
from bench.peers.restate_processes import serving
from bench.work import Filled, Order

_SECONDS: Final = 120


class _Ingress:
    """Requests to one address, over a connection for each thread."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._of_thread = threading.local()
        self.connections = ExitStack()

    def ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        connection = self._connection()
        connection.request(method, path, content, {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
        if response.status not in (200, 202):
            raise RuntimeError(f"{method} {path}: {response.status} {body.decode(errors='replace')}")
        return body

    def _connection(self) -> http.client.HTTPConnection:
        connection = getattr(self._of_thread, "connection", None)
        if isinstance(connection, http.client.HTTPConnection):
            return connection
        made = http.client.HTTPConnection(*self._address, timeout=_SECONDS)
        self._of_thread.connection = self.connections.enter_context(closing(made))
        return made


@contextmanager
def opened(directory: Path) -> Iterator[Start]:
    """A server of its own and a service, both with their files in the directory."""
    program = restate_binary.find()
    if program is None:
        raise FileNotFoundError(restate_binary.missing())
    with serving(program, directory) as address:
        ingress = _Ingress(address)

        def start(number: int) -> Wait:
            invocation = json.loads(ingress.ask("POST", "/Orders/run/send", steps.dumps(Order(number))))["invocationId"]

            def wait() -> None:
                steps.loads(ingress.ask("GET", f"/restate/invocation/{invocation}/attach"), Filled)

            return wait

        with ingress.connections:
            yield start

"""Who may open a connection: paths, limits, switches and maintenance decide."""

import ipaddress
import threading
from typing import final

from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from deribit_example.exchange.faults import FaultName, Occasion
from deribit_example.exchange.venue import Venue

API_PATH = "/ws/api/v2"
SIM_PATH = "/sim"


@final
class Gate:
    """Answers upgrade requests; counts what it let in and what it refused."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._lock = threading.Lock()
        self._open: dict[str, int] = {}
        self.accepted = 0
        self.refused = 0

    def check(self, connection: ServerConnection, request: Request) -> Response | None:
        """None lets the connection in."""
        host = address_of(connection)
        if request.path == SIM_PATH:
            return None if ipaddress.ip_address(host).is_loopback else connection.respond(403, "loopback only\n")
        if request.path != API_PATH:
            return connection.respond(404, "no such path\n")
        status = self._refusal(host)
        with self._lock:
            if status is None:
                self.accepted += 1
                return None
            self.refused += 1
        return connection.respond(status, "refused\n")

    def enter(self, host: str) -> None:
        """Count an open connection of an address."""
        with self._lock:
            self._open[host] = self._open.get(host, 0) + 1

    def leave(self, host: str) -> None:
        """Count it out again."""
        with self._lock:
            self._open[host] -= 1

    def _refusal(self, host: str) -> int | None:
        with self._venue.lock:
            maintenance = self._venue.faults.standing(FaultName.MAINTENANCE)
            if maintenance:
                return maintenance[0].http_status
            fault = self._venue.faults.take(FaultName.REFUSE_CONNECTIONS, Occasion())
            if fault is not None:
                self._venue.lock.notify_all()
                return fault.http_status
        with self._lock:
            return 429 if self._open.get(host, 0) >= self._venue.config.max_connections_per_address else None


def address_of(connection: ServerConnection) -> str:
    """The IP address of the peer."""
    host, *_ = connection.remote_address
    return str(host)

"""The ways a server connection can end, and one that can go silent: the only place that reaches below the WebSocket."""

import contextlib
import socket
import struct
import threading
from typing import final

from typing_extensions import override
from websockets.sync.server import ServerConnection


@final
class StallableConnection(ServerConnection):
    """A connection that can stop sending anything at all, pongs included, while staying open."""

    stalled = False

    @override
    def send_data(self) -> None:
        """Write what the protocol wants written, or swallow it when stalled."""
        if self.stalled:
            self.protocol.data_to_send()
        else:
            super().send_data()


def cut(connection: ServerConnection) -> None:
    """End of stream in both directions, without a close frame; also frees a sender that is stuck."""
    with contextlib.suppress(OSError):  # the peer may have been faster
        connection.socket.shutdown(socket.SHUT_RDWR)


def reset(connection: ServerConnection) -> None:
    """TCP reset: the peer sees an error, not an end."""
    _linger_not(connection)
    # Closed before the reading thread is woken: it would say goodbye with an orderly FIN first.
    connection.socket.close()
    _close_in_background(connection)


def expel(connection: ServerConnection) -> None:
    """TCP reset of a peer that does not read: an orderly end would wait behind what it leaves unread."""
    _linger_not(connection)
    cut(connection)
    _close_in_background(connection)


def _linger_not(connection: ServerConnection) -> None:
    with contextlib.suppress(OSError):  # the peer may have been faster
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _close_in_background(connection: ServerConnection) -> None:
    # Closing needs a lock that a sender stuck on a full buffer may hold; the caller must not wait for it.
    threading.Thread(target=connection.close_socket, name="exchange-close", daemon=True).start()

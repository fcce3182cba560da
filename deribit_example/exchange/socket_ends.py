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
    with contextlib.suppress(OSError):  # the peer may have been faster
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # Closed before the reading thread is woken: it would say goodbye with an orderly FIN first.
    connection.socket.close()
    # The rest needs a lock that a sender stuck on a full buffer may hold, and the caller must not wait for it.
    threading.Thread(target=connection.close_socket, name="exchange-reset", daemon=True).start()

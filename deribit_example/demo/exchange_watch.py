"""Looks at the exchange's books through its control path."""

import threading
from typing import Final, final

from websockets.exceptions import WebSocketException

from deribit_example.demo.audit import Books
from deribit_example.demo.board import Board
from deribit_example.demo.exits import ExchangeFailed
from deribit_example.exchange import ControlError, ExchangeControl, Stats

_STOP_SECONDS: Final = 10.0


@final
class ExchangeWatch:
    """Looks at the exchange a few times a second, for the views only."""

    def __init__(self, control: ExchangeControl, board: Board, every_seconds: float = 0.25) -> None:
        self._control = control
        self._board = board
        self._every = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exchange-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                books, stats = read_books(self._control)
            except ExchangeFailed as error:
                self._board.fail(error)
                return
            self._board.update_exchange(books, stats)
            self._stop.wait(self._every)


def read_books(control: ExchangeControl) -> tuple[Books, Stats]:
    """What the exchange has in its books.

    Raises:
        ExchangeFailed: it does not answer.
    """
    try:
        books = Books(orders=control.orders(), trades=control.trades(), positions=control.positions())
        return books, control.stats()
    except (ControlError, OSError, WebSocketException) as error:
        raise ExchangeFailed(f"the simulated exchange does not answer: {str(error) or type(error).__name__}") from error

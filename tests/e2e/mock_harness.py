"""`TestHarness`: the trading program on a mock connection."""

from concurrent.futures import Future
from contextlib import ExitStack
from decimal import Decimal
from typing import Self, TypeVar, final

from deribit_example.actors.deribit_ws import OrderSnapshot
from deribit_example.program import ProgramSettings, Ref
from tests.e2e.mock_behavior import MockWSBehavior
from tests.e2e.mock_books import BTC, MockBooks
from tests.e2e.mock_messages import ChangeBooks, DropConnection, RestoreConnection
from tests.e2e.mock_ws import MockDeribitWSActor
from tests.e2e.program_harness import WAIT_SECONDS, ProgramHarness
from tests.e2e.quick_settings import QUICK

T = TypeVar("T")


@final
class TestHarness(ProgramHarness):
    """`with TestHarness.with_behavior(MockWSBehavior(...)) as harness: ...`"""

    __test__ = False  # no test class, whatever its name says

    def __init__(self, behavior: MockWSBehavior, settings: ProgramSettings = QUICK) -> None:
        super().__init__(settings)
        self.behavior = behavior
        self.books = MockBooks()

    @classmethod
    def with_behavior(cls, behavior: MockWSBehavior, settings: ProgramSettings = QUICK) -> Self:
        """A harness whose connection behaves like this."""
        return cls(behavior, settings)

    def _prepare(self, stack: ExitStack) -> None:
        """The books are there already."""

    def _open_connection(self) -> Ref:
        self._mock = MockDeribitWSActor.start(self.books, self.behavior)
        return self._mock

    # ---------------------------------------------------------------- the exchange's side

    def drop_ws_connection(self) -> None:
        """Break the connection now; it comes back by itself if the behaviour says so."""
        self._tell(drop := DropConnection(), drop.reply)

    def restore_ws_connection(self) -> None:
        """Bring a connection back that stays down by itself."""
        self._tell(restore := RestoreConnection(), restore.reply)

    def fill_order(self, instrument: str = BTC, amount: Decimal | None = None) -> OrderSnapshot:
        """Fill the newest order of an instrument, in part or to its end, and tell the listeners."""
        return self._change(ChangeBooks(change=lambda books: books.fill(_newest(books, instrument), amount)))

    def cancel_order_as_exchange(self, instrument: str = BTC) -> OrderSnapshot:
        """Cancel the newest order of an instrument for a reason of the exchange, and tell the listeners."""
        return self._change(
            ChangeBooks(change=lambda books: books.cancel(_newest(books, instrument), "autoliquidation"))
        )

    def repeat_update(self, instrument: str = BTC) -> OrderSnapshot:
        """Tell the listeners once more how the newest order of an instrument stands."""
        return self._change(ChangeBooks(change=lambda books: books.order(_newest(books, instrument))))

    def net_position(self, instrument: str = BTC) -> Decimal:
        return self.books.net_position(instrument)

    def _change(self, change: ChangeBooks) -> OrderSnapshot:
        return self._tell(change, change.reply)

    def _tell(self, message: ChangeBooks | DropConnection | RestoreConnection, reply: Future[T]) -> T:
        self._mock.tell(message)
        return reply.result(timeout=WAIT_SECONDS)


def _newest(books: MockBooks, instrument: str) -> str:
    return books.orders(instrument=instrument)[-1].order_id

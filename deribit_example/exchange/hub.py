"""All open connections of one exchange: events reach each of them; a lost one takes its orders along if asked to."""

from typing import final

from deribit_example.exchange.connection import ConnectionState
from deribit_example.exchange.dispatch import Late, apply_late
from deribit_example.exchange.events import Event
from deribit_example.exchange.faults import DropKind
from deribit_example.exchange.scheduler import Scheduler
from deribit_example.exchange.session import Session
from deribit_example.exchange.socket_ends import StallableConnection
from deribit_example.exchange.venue import Venue


@final
class SessionHub:
    """Opens, tells and ends sessions. Every method takes the lock of the venue itself."""

    def __init__(self, venue: Venue, scheduler: Scheduler) -> None:
        self.venue = venue
        self.scheduler = scheduler
        self._sessions: dict[int, Session] = {}
        self._next_id = 0
        self._told_of_maintenance = False
        venue.after_change = self._after_change

    @property
    def count(self) -> int:
        """How many sessions are open."""
        with self.venue.lock:
            return len(self._sessions)

    def serve(self, socket: StallableConnection) -> None:
        """Serve one connection until it ends."""
        with self.venue.lock:
            self._next_id += 1
            session = Session(self, socket, self._next_id)
            self._sessions[self._next_id] = session
            self.venue.lock.notify_all()
        try:
            session.serve()
        finally:
            self._ended(session.state)

    def publish(self, events: tuple[Event, ...]) -> None:
        """Tell every connection what happened."""
        if events:
            with self.venue.lock:
                for session in tuple(self._sessions.values()):
                    session.publish(events)

    def flush(self) -> None:
        """Tell what has happened outside of a request, and wake whoever waits for it."""
        with self.venue.lock:
            self.publish(self.venue.drain_events())
            self.venue.lock.notify_all()

    def apply_later(self, state: ConnectionState, late: Late) -> None:
        """Apply a request that much later, whatever has become of its connection."""

        def apply() -> None:
            with self.venue.lock:
                self.publish(apply_late(self.venue, state, late))
                self.venue.lock.notify_all()

        self.scheduler.after(late.millis / 1_000, apply)

    def drop_all(self, kind: DropKind) -> int:
        """End every connection in one way; returns how many there were."""
        with self.venue.lock:
            sessions = tuple(self._sessions.values())
            for session in sessions:
                if kind in (DropKind.CLOSE, DropKind.HEARTBEAT_CLOSE):
                    session.drop(kind)
                else:
                    session.end(kind)
            return len(sessions)

    def _ended(self, state: ConnectionState) -> None:
        with self.venue.lock:
            self._sessions.pop(state.connection_id, None)
            if not state.logged_out:
                self._cancel_orders_of(state.connection_id)
            self.venue.tokens.end_connection(state.connection_id)
            self.flush()

    def _cancel_orders_of(self, connection_id: int) -> None:
        for order in self.venue.engine.store.open_orders():
            if order.connection_id == connection_id and order.cancel_on_disconnect:
                self.venue.engine.cancel(order, self.venue.now_millis(), "cancel_on_disconnect")

    def _after_change(self) -> None:
        self.flush()
        if self.venue.in_maintenance and not self._told_of_maintenance:
            self.drop_all(DropKind.CLOSE)
        self._told_of_maintenance = self.venue.in_maintenance

"""eventsourcing: the saga as a system of process applications, its idiom for choreography, on SQLite.

Four applications follow one another, as our participants do: one receives orders, one a step. Each has a database of
its own and stores what it did together with the position of the event it did it for, in one transaction; so a program
that comes back goes on where it was. The library opens SQLite with its write-ahead log and `synchronous = FULL`.

What else was tried: an aggregate whose steps a thread pool saves one by one, which nobody resumes after a crash, and
the library's other runners. All of them were within a fifth of this one at 64 in flight. A single database for all
applications, an application that follows itself, and a cache of aggregates were slower. The newer runners take events
as they are announced, which threads that save at once may do out of order; this one reads the notification log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Final
from uuid import UUID

from eventsourcing.application import Application, ProcessingEvent
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import JSONTranscoder, Recording, Transcoding
from eventsourcing.system import MultiThreadedRunner, ProcessApplication, System

from bench.drive import Start, Wait
from bench.peers import steps
from bench.work import Filled, Order, Placed, Prepared

_SECONDS: Final = 120


class Reception(Aggregate):
    """An order that was accepted."""

    class Received(Aggregate.Created):
        order: Order

    @event(Received)
    def __init__(self, order: Order) -> None:
        self.order = order


class Preparation(Aggregate):
    """The first step of a saga."""

    class Done(Aggregate.Created):
        saga: UUID
        output: Prepared

    @event(Done)
    def __init__(self, saga: UUID, output: Prepared) -> None:
        self.saga, self.output = saga, output


class Placement(Aggregate):
    """The second step of a saga."""

    class Done(Aggregate.Created):
        saga: UUID
        output: Placed

    @event(Done)
    def __init__(self, saga: UUID, output: Placed) -> None:
        self.saga, self.output = saga, output


class Monitoring(Aggregate):
    """The last step of a saga."""

    class Done(Aggregate.Created):
        saga: UUID
        output: Filled

    @event(Done)
    def __init__(self, saga: UUID, output: Filled) -> None:
        self.saga, self.output = saga, output


class Payload(Transcoding):
    """A payload in stored events: a JSON object under its type's name."""

    def __init__(self, kind: type) -> None:
        self.type = kind
        self.name = kind.__name__

    def encode(self, obj: object) -> object:
        return steps.PLAIN.unstructure(obj)

    def decode(self, data: object) -> object:
        return steps.PLAIN.structure(data, self.type)


class KnowsPayloads(Application[UUID]):
    """What all applications here have in common."""

    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        for kind in steps.PAYLOADS:
            transcoder.register(Payload(kind))


def not_for_this_step(self: object, domain_event: object, processing_event: ProcessingEvent[UUID]) -> None:
    """What a policy does with all other events."""


class Orders(KnowsPayloads):
    """Accepts orders."""

    def receive(self, reception: Reception) -> None:
        self.save(reception)


class Preparer(KnowsPayloads, ProcessApplication[UUID]):
    """Prepares."""

    policy = singledispatchmethod(not_for_this_step)

    @policy.register
    def _(self, domain_event: Reception.Received, processing_event: ProcessingEvent[UUID]) -> None:
        saga = domain_event.originator_id
        processing_event.collect_events(Preparation(saga, steps.prepare(domain_event.order, saga.hex)))


class Placer(KnowsPayloads, ProcessApplication[UUID]):
    """Places."""

    policy = singledispatchmethod(not_for_this_step)

    @policy.register
    def _(self, domain_event: Preparation.Done, processing_event: ProcessingEvent[UUID]) -> None:
        saga = domain_event.saga
        processing_event.collect_events(Placement(saga, steps.place(domain_event.output, saga.hex)))


class Monitor(KnowsPayloads, ProcessApplication[UUID]):
    """Watches, and tells who waits, once its events are stored."""

    waiting: dict[UUID, Event]

    policy = singledispatchmethod(not_for_this_step)

    @policy.register
    def _(self, domain_event: Placement.Done, processing_event: ProcessingEvent[UUID]) -> None:
        processing_event.collect_events(Monitoring(domain_event.saga, steps.monitor(domain_event.output)))

    def _notify(self, recordings: list[Recording[UUID]]) -> None:
        super()._notify(recordings)
        for recording in recordings:
            if isinstance(recording.domain_event, Monitoring.Done):
                self.waiting.pop(recording.domain_event.saga).set()


APPLICATIONS: Final = (Orders, Preparer, Placer, Monitor)


@contextmanager
def opened(directory: Path) -> Iterator[Start]:
    """A running system, each application with a database in the directory."""
    databases = {f"{kind.__name__.upper()}_SQLITE_DBNAME": str(directory / kind.__name__) for kind in APPLICATIONS}
    environment = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", **databases}
    with MultiThreadedRunner[UUID](System(pipes=[APPLICATIONS]), environment) as runner:
        orders = runner.get(Orders)
        waiting: dict[UUID, Event] = {}
        runner.get(Monitor).waiting = waiting

        def start(number: int) -> Wait:
            reception, ended = Reception(Order(number)), Event()
            waiting[reception.id] = ended
            orders.receive(reception)

            def wait() -> None:
                if not ended.wait(_SECONDS):
                    raise TimeoutError(f"{reception.id} has not ended")

            return wait

        yield start

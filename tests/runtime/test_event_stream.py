"""The stream tells whom it concerns, and only those."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import pykka
import pytest

from saga_choreography import (
    EventStream,
    PeerId,
    SagaChoreographyEvent,
    SagaEvent,
    SagaStarted,
    StepCompleted,
)
from saga_choreography.helpers.peer import Directed
from saga_choreography.helpers.signals import Events, PeerJoined
from saga_choreography.runtime.event_stream import Barrier, Joined, Observed, Published, Ref, shard_of
from saga_choreography.types import SagaOrigin, new_saga_id
from tests.runtime.journey import JOURNEY

PLAN = JOURNEY.plan


class Ear(pykka.ThreadingActor):
    """Keeps what it is told."""

    use_daemon_thread = True

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[object] = []

    def on_receive(self, message: object) -> object:
        if message == "heard":
            return list(self.heard)
        self.heard.append(message)
        return None


@pytest.fixture
def dropped() -> list[PeerId]:
    return []


@pytest.fixture
def stream(dropped: list[PeerId]) -> Iterator[Ref]:
    stream = EventStream.start(dropped.append)
    yield stream
    stream.stop()


@pytest.fixture
def ears() -> Iterator[dict[str, Ref]]:
    ears: dict[str, Ref] = {name: Ear.start() for name in ("initiator", "pack", "fly", "stay")}
    yield ears
    for ear in ears.values():
        ear.stop()


def join(stream: Ref, name: str, ear: Ref, *, shard: int = 0, shards: int = 1) -> None:
    steps = frozenset() if name == "initiator" else frozenset({("journey", name)})
    peer_id = PeerId(name if shards == 1 else f"{name}-{shard}")
    stream.tell(
        Joined(peer_id=peer_id, ref=ear, steps=steps, is_initiator=name == "initiator", shard=shard, shards=shards)
    )


def deliver(stream: Ref, *outgoing: SagaChoreographyEvent | Directed) -> None:
    stream.tell(Published(outgoing))
    passed: Future[None] = Future()
    stream.tell(Barrier(passed))
    passed.result(10)


def heard(ear: Ref) -> list[str]:
    """Names of the events an ear was told."""
    names: list[str] = []
    for message in ear.ask("heard", timeout=10):
        if isinstance(message, SagaEvent) and isinstance(message.event, Events):
            names += [type(event).__name__ for event in message.event.events]
    return names


def an_origin() -> SagaOrigin:
    return SagaOrigin(saga_id=new_saga_id(), initiator=PeerId("initiator"), started_at_millis=1, plan=PLAN)


def completed(origin: SagaOrigin, step_name: str) -> StepCompleted:
    return StepCompleted(origin=origin, at_millis=2, step_name=step_name, sequence=3, output=b"")


def test_a_start_goes_to_the_roots_and_a_completion_to_dependents_and_initiator(
    stream: Ref, ears: dict[str, Ref]
) -> None:
    for name, ear in ears.items():
        join(stream, name, ear)
    origin = an_origin()
    deliver(stream, SagaStarted(origin=origin, at_millis=1, payload=b""), completed(origin, "fly"))
    assert heard(ears["pack"]) == ["SagaStarted"]
    assert heard(ears["fly"]) == ["SagaStarted"], "fly joins the payload, so it waits for the start too"
    assert heard(ears["stay"]) == ["StepCompleted"]
    assert heard(ears["initiator"]) == ["StepCompleted"]


def test_everything_published_at_once_reaches_a_recipient_as_one_message(stream: Ref, ears: dict[str, Ref]) -> None:
    join(stream, "stay", ears["stay"])
    deliver(stream, *(completed(an_origin(), "fly") for _ in range(5)))
    told = [message for message in ears["stay"].ask("heard", timeout=10) if isinstance(message, SagaEvent)]
    assert len(told) == 1


def test_a_directed_event_goes_to_one_step_only(stream: Ref, ears: dict[str, Ref]) -> None:
    for name, ear in ears.items():
        join(stream, name, ear)
    deliver(stream, Directed("pack", completed(an_origin(), "fly")))
    assert [name for name, ear in ears.items() if heard(ear)] == ["pack"]


def test_a_saga_always_goes_to_the_same_shard(stream: Ref, ears: dict[str, Ref]) -> None:
    join(stream, "stay", ears["stay"], shard=0, shards=2)
    join(stream, "stay", ears["fly"], shard=1, shards=2)
    origins = [an_origin() for _ in range(20)]
    deliver(stream, *(completed(origin, "fly") for origin in origins))
    of_shard_one = sum(shard_of(origin.saga_id, 2) for origin in origins)
    assert len(heard(ears["fly"])) == of_shard_one
    assert len(heard(ears["stay"])) == 20 - of_shard_one


def test_a_dead_subscriber_is_dropped_and_reported_and_harms_nobody(
    stream: Ref, ears: dict[str, Ref], dropped: list[PeerId]
) -> None:
    for name, ear in ears.items():
        join(stream, name, ear)
    ears["stay"].stop()
    deliver(stream, completed(an_origin(), "fly"))
    assert dropped == ["stay"]
    assert heard(ears["initiator"]) == ["StepCompleted"]


def test_who_joins_is_announced_to_the_others(stream: Ref, ears: dict[str, Ref]) -> None:
    join(stream, "pack", ears["pack"])
    join(stream, "fly", ears["fly"])
    passed: Future[None] = Future()
    stream.tell(Barrier(passed))
    passed.result(10)
    (announcement,) = ears["pack"].ask("heard", timeout=10)
    assert isinstance(announcement, SagaEvent)
    assert isinstance(announcement.event, PeerJoined)
    assert announcement.event.peer.peer_id == "fly"
    assert ears["fly"].ask("heard", timeout=10) == []


def test_an_observer_hears_everything_but_directed_repeats(stream: Ref) -> None:
    seen: list[str] = []

    def observe(events: Sequence[SagaChoreographyEvent]) -> None:
        seen.extend(type(event).__name__ for event in events)

    stream.tell(Observed(observe))
    origin = an_origin()
    deliver(stream, completed(origin, "fly"), Directed("pack", completed(origin, "fly")))
    assert seen == ["StepCompleted"]


def test_the_mailbox_is_a_simple_queue(stream: Ref) -> None:
    assert type(stream.actor_inbox).__name__ == "SimpleQueue"

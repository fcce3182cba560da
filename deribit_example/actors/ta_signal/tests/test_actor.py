"""The actor keeps instruments apart, forgets on demand, and survives its listener."""

import queue
from collections.abc import Iterator
from decimal import Decimal

import pykka
import pytest

from deribit_example.actors.ta_signal import CrossoverSettings, MarketTick, Reset, Signal, TASignalActor

SETTINGS = CrossoverSettings(fast=2, slow=4, rsi=3)
FALLING = (100, 99, 98, 97, 96)
RISING = (99, 102, 105)


@pytest.fixture
def heard() -> "queue.SimpleQueue[Signal]":
    return queue.SimpleQueue()


@pytest.fixture
def actor(heard: "queue.SimpleQueue[Signal]") -> "Iterator[pykka.ActorRef[TASignalActor]]":
    ref = TASignalActor.start(heard.put, SETTINGS)
    yield ref
    ref.stop(timeout=10)


def feed(ref: "pykka.ActorRef[TASignalActor]", instrument: str, prices: tuple[int, ...], start: int = 0) -> None:
    for offset, price in enumerate(prices):
        ref.tell(MarketTick(instrument=instrument, price=Decimal(price), at_millis=start + offset))


def test_a_crossover_is_told_once(actor: "pykka.ActorRef[TASignalActor]", heard: "queue.SimpleQueue[Signal]") -> None:
    feed(actor, "A", FALLING + RISING)
    actor.stop(timeout=10)
    signal = heard.get_nowait()
    assert (signal.instrument, signal.side, signal.strategy) == ("A", "buy", "ema-crossover")
    assert heard.empty()


def test_instruments_do_not_mix(actor: "pykka.ActorRef[TASignalActor]", heard: "queue.SimpleQueue[Signal]") -> None:
    feed(actor, "A", FALLING)
    feed(actor, "B", RISING, start=5)
    actor.stop(timeout=10)
    assert heard.empty()


@pytest.mark.parametrize("reset", [Reset(instrument="A"), Reset()])
def test_what_was_reset_starts_anew(
    actor: "pykka.ActorRef[TASignalActor]", heard: "queue.SimpleQueue[Signal]", reset: Reset
) -> None:
    feed(actor, "A", FALLING)
    actor.tell(reset)
    feed(actor, "A", RISING)
    actor.stop(timeout=10)
    assert heard.empty()


def test_a_listener_that_raises_does_not_kill_the_actor() -> None:
    heard: queue.SimpleQueue[Signal] = queue.SimpleQueue()

    def listen(signal: Signal) -> None:
        heard.put(signal)
        raise RuntimeError("listener")

    ref = TASignalActor.start(listen, SETTINGS)
    feed(ref, "A", FALLING + RISING + FALLING)
    assert [heard.get(timeout=10).side for _ in range(2)] == ["buy", "sell"]
    ref.stop(timeout=10)


def test_the_inbox_is_the_fast_one(actor: "pykka.ActorRef[TASignalActor]") -> None:
    assert isinstance(actor.actor_inbox, queue.SimpleQueue)

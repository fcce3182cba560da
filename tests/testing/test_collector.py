"""The collector: what it keeps, and how it waits."""

import threading
from pathlib import Path

import pytest

from saga_choreography import (
    CompensationRequested,
    NoticeKind,
    PeerId,
    SagaCompleted,
    SagaFailed,
    SagaNotice,
    SagaStarted,
    SagaSystem,
    StepCompleted,
    StepStarted,
    TerminalStepError,
)
from saga_choreography.testing import NotSeen, SagaEventCollector
from tests.runtime.journey import JOURNEY, Behaviour, Trip, World, running


def journey(path: Path, collector: SagaEventCollector, **on: Behaviour) -> SagaSystem:
    with running(path, World(on=on), observers=(collector,)) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        collector.wait_for_outcome(handle.saga_id)
    return system


def test_the_transcript_of_a_saga_reads_as_its_steps(tmp_path: Path) -> None:
    collector = SagaEventCollector()
    journey(tmp_path, collector)
    lines = collector.transcript()
    assert lines[0] == "SagaStarted"
    assert lines[-1] == "SagaCompleted"
    completed = [line for line in lines if line.startswith("StepCompleted")]
    assert completed == ["StepCompleted pack", "StepCompleted fly", "StepCompleted stay"]


def test_facts_are_found_by_kind_step_saga_and_condition(tmp_path: Path) -> None:
    collector = SagaEventCollector()
    journey(tmp_path, collector)
    started = collector.wait_for(SagaStarted)
    assert collector.wait_for(StepCompleted, saga_id=started.saga_id, step="fly").step_name == "fly"
    assert collector.wait_for(StepCompleted, where=lambda event: event.step_name != "pack").step_name == "fly"
    assert len(collector.of(StepStarted, step="stay")) == 1
    assert collector.of(SagaFailed) == ()


def test_a_failed_saga_ends_with_its_cause(tmp_path: Path) -> None:
    collector = SagaEventCollector()

    def refuse(_: object) -> None:
        raise TerminalStepError("full")

    journey(tmp_path, collector, stay=refuse)
    fence = collector.wait_for(CompensationRequested)
    outcome = collector.outcome_of(fence.saga_id)
    assert isinstance(outcome, SagaFailed)
    assert "full" in outcome.reason


def test_waiting_for_what_never_comes_shows_what_came(tmp_path: Path) -> None:
    collector = SagaEventCollector()
    journey(tmp_path, collector)
    with pytest.raises(NotSeen, match=r"SagaFailed was not told within 0\.01 s; told was:\n  SagaStarted"):
        collector.wait_for(SagaFailed, timeout=0.01)
    with pytest.raises(NotSeen, match="nothing"):
        SagaEventCollector().wait_for(SagaCompleted, timeout=0.01)


def test_a_waiting_thread_is_woken_by_the_news() -> None:
    collector = SagaEventCollector()
    notice = SagaNotice(kind=NoticeKind.ANOMALY, peer=PeerId("somebody"), detail="odd")
    teller = threading.Timer(0.05, lambda: collector.on_notice(notice))
    teller.start()
    assert collector.wait_for_notice(NoticeKind.ANOMALY) == notice
    assert collector.notices(NoticeKind.STORE_PAUSED) == ()
    teller.join(timeout=5)

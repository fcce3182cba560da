"""The check bites: each planted fault is reported by its name, and a run without one is clean."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import evolve

from saga_choreography import SagaFailed, SagaId
from saga_choreography.events import OutcomeKind
from tests.crash.check import Violation, check_story, check_whole
from tests.crash.evidence import SagaStory
from tests.crash.ledger_lines import Line, What
from tests.crash.near import ForgetfulUndo, KeyPerAttempt, LostEffect, NearRun, run_near
from tests.crash.outside import Outside
from tests.crash.tokens import saga_id_of

SAGAS = 60


def _violations(run: NearRun) -> list[Violation]:
    found = check_whole(run.lines, run.live)
    return [*found, *(violation for story in run.stories.values() for violation in check_story(story))]


def _kinds(run: NearRun) -> set[str]:
    return {violation.kind for violation in _violations(run)}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> NearRun:
    """A run without faults."""
    return run_near(tmp_path_factory.mktemp("clean") / "state", SAGAS, lambda ledger: ledger)


def _regathered(run: NearRun, lines: list[Line]) -> NearRun:
    """The same journals beside another ledger."""
    stories = {
        saga_id: evolve(story, lines=[(at, line) for at, line in enumerate(lines) if line.saga == saga_id.int])
        for saga_id, story in run.stories.items()
    }
    return evolve(run, stories=stories, lines=lines)


def _undone_saga(run: NearRun) -> SagaStory:
    """A failed saga of which more than one effect was undone."""
    return next(
        story
        for story in run.stories.values()
        if sum(line.what is What.UNDO and line.effect for _, line in story.lines) > 1
    )


def test_a_run_without_faults_is_clean_and_has_both_outcomes(clean: NearRun) -> None:
    assert _violations(clean) == []
    outcomes = [outcome for story in clean.stories.values() for outcome in story.outcomes]
    assert set(outcomes) == set(OutcomeKind)


@pytest.mark.parametrize(
    ("between", "kind"),
    [
        pytest.param(ForgetfulUndo, "leaked", id="an undo that forgets"),
        pytest.param(KeyPerAttempt, "second key", id="a key that changes with the attempt"),
        pytest.param(lambda ledger: LostEffect(ledger, "begin"), "lost", id="an effect that is answered and forgotten"),
    ],
)
def test_a_lie_between_participants_and_ledger_is_reported(
    tmp_path: Path, between: Callable[[Outside], Outside], kind: str
) -> None:
    assert kind in _kinds(run_near(tmp_path, SAGAS, between))


def test_an_acknowledged_saga_that_no_initiator_knows_is_lost(clean: NearRun) -> None:
    unknown = saga_id_of("diamond", 123_456)
    lost = evolve(clean, stories={**clean.stories, unknown: SagaStory(unknown, acknowledged=True)})
    assert _kinds(lost) == {"lost"}


def test_a_saga_without_a_terminal_record_is_lost(clean: NearRun) -> None:
    saga_id, story = next(iter(clean.stories.items()))
    cut = evolve(story, initiators=[records[:-1] for records in story.initiators])
    assert "lost" in _kinds(evolve(clean, stories={saga_id: cut}))


def test_a_second_terminal_record_is_two_outcomes(clean: NearRun) -> None:
    saga_id, story = next(iter(clean.stories.items()))
    doubled = evolve(story, initiators=[(*records, records[-1]) for records in story.initiators])
    assert "two outcomes" in _kinds(evolve(clean, stories={saga_id: doubled}))


def test_a_handle_that_says_something_else_is_two_outcomes(clean: NearRun) -> None:
    saga_id, story = next(
        (saga_id, story) for saga_id, story in clean.stories.items() if story.outcomes == [OutcomeKind.COMPLETED]
    )
    lying = evolve(story, told=SagaFailed.__name__)
    assert _kinds(evolve(clean, stories={saga_id: lying})) == {"two outcomes"}


def test_undos_in_the_order_of_the_effects_are_reported(clean: NearRun) -> None:
    undos = [line for _, line in _undone_saga(clean).lines if line.what is What.UNDO]
    backwards: Iterator[Line] = iter(reversed(undos))
    lines = [next(backwards) if line in undos else line for line in clean.lines]
    assert "order" in _kinds(_regathered(clean, lines))


def test_an_attempt_after_the_undo_is_reported(clean: NearRun) -> None:
    story = _undone_saga(clean)
    done = next(line for _, line in story.lines if line.what is What.DO)
    assert "do after undo" in _kinds(_regathered(clean, [*clean.lines, done]))


def test_an_attempt_that_was_never_journaled_is_reported(clean: NearRun) -> None:
    done = next(line for line in clean.lines if line.what is What.DO)
    stray = evolve(done, attempt=99, effect=False)
    at = list(clean.lines).index(done)
    assert _kinds(_regathered(clean, [*clean.lines[:at], stray, *clean.lines[at:]])) == {"disagree"}


def test_a_saga_that_is_live_in_a_store_is_reported(clean: NearRun) -> None:
    saga_id: SagaId = next(iter(clean.stories))
    assert _kinds(evolve(clean, live=[("Opener/0", saga_id)])) == {"live"}


def test_an_alarm_of_the_library_is_reported(clean: NearRun) -> None:
    alarm = Line(what=What.NOTICE, note="Opener: anomaly: something is odd")
    assert _kinds(evolve(clean, lines=[*clean.lines, alarm])) == {"notice"}

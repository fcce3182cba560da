"""What a shell may tell the core to spare it work: that there is room for a step, and that nobody hears of attempts."""

from collections.abc import Callable, Mapping

import pytest

from saga_choreography.events import CompensationStarted, SagaChoreographyEvent, StepStarted
from saga_choreography.protocol.commands import Publish, RunCompensation, RunStep
from saga_choreography.protocol.decide import decide
from saga_choreography.protocol.memory import NOTHING_TOLD
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import RUN_GRANTED, StepReturned, Stimulus
from saga_choreography.state import Executing, SagaStateEntry
from saga_choreography.state.transitions import new
from saga_choreography.types import SagaOrigin

Line = Callable[..., SagaOrigin]
Heard = Mapping[str, SagaChoreographyEvent]


def test_a_step_with_room_runs_as_if_it_had_been_granted_right_away(line: Line, heard: Heard) -> None:
    spec, fresh = ParticipantSpec(step_name="b"), new(line(), "b", 1)
    triggered = decide(fresh, NOTHING_TOLD, heard["a completed"], spec, 5)
    granted = decide(triggered.entry, triggered.told, RUN_GRANTED, spec, 5)
    at_once = decide(fresh, NOTHING_TOLD, heard["a completed"], spec, 5, may_run=True)
    assert isinstance(at_once.entry.state, Executing)
    assert (at_once.entry, at_once.told) == (granted.entry, granted.told)
    assert at_once.records == (*triggered.records, *granted.records)
    assert at_once.commands == granted.commands


def test_room_changes_nothing_for_a_step_that_has_seen_the_fence(line: Line, heard: Heard) -> None:
    spec = ParticipantSpec(step_name="b")
    fenced = decide(new(line(), "b", 1), NOTHING_TOLD, heard["fence"], spec, 5)
    late = decide(fenced.entry, fenced.told, heard["a completed"], spec, 6, may_run=True)
    assert (late.entry, late.records, late.commands) == (fenced.entry, (), ())


@pytest.mark.parametrize("is_observed", [True, False])
def test_attempts_are_told_only_where_somebody_hears_of_them_and_run_all_the_same(
    line: Line, heard: Heard, *, is_observed: bool
) -> None:
    spec = ParticipantSpec(step_name="b", is_observed=is_observed)
    entry: SagaStateEntry = new(line(), "b", 1)
    told = NOTHING_TOLD
    published: list[type] = []
    ran: list[type] = []
    history: list[Stimulus] = [
        heard["a completed"],
        RUN_GRANTED,
        StepReturned(b"out", b"undo"),
        heard["fence"],
        heard["c never ran"],
    ]
    for now_millis, stimulus in enumerate(history):
        decision = decide(entry, told, stimulus, spec, now_millis)
        entry, told = decision.entry, decision.told
        published += [type(command.event) for command in decision.commands if isinstance(command, Publish)]
        ran += [type(command) for command in decision.commands if isinstance(command, RunStep | RunCompensation)]
    assert ran == [RunStep, RunCompensation]
    assert (StepStarted in published, CompensationStarted in published) == (is_observed, is_observed)

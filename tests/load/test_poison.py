"""A step that kills the program each time it runs: its attempts are bounded, then the program lives, all others end."""

from pathlib import Path

import pytest

from saga_choreography import SagaCompleted, SagaFailed
from tests.load.poison import BOUND, POISONED, QUARANTINED, Aftermath, Poison, run_until_it_lives


def check(aftermath: Aftermath, poison: Poison) -> None:
    """Only the poisoned saga is quarantined, after as many attempts as it may have; nothing has two keys or leaks."""
    struck = "undo" if poison.in_undo else "cook"
    assert aftermath.notes[struck, POISONED] == aftermath.crashes == BOUND
    assert aftermath.evidence == {POISONED: BOUND}
    for number, outcome in aftermath.outcomes.items():
        if number == POISONED:
            assert outcome == QUARANTINED
        else:
            assert outcome == (SagaFailed if number % 2 else SagaCompleted).__name__, f"dish {number}"
            assert aftermath.notes["cook", number] >= 1
            assert bool(aftermath.notes["undo", number]) is bool(number % 2)
            assert bool(aftermath.notes["serve", number]) is not bool(number % 2)
    assert all(len(of_effect) == 1 for of_effect in aftermath.keys.values())


@pytest.mark.parametrize("poison", [Poison.STEP_IS_KILLED, Poison.UNDO_EXITS, Poison.UNDO_IS_KILLED])
def test_a_step_that_kills_its_program_is_quarantined_in_the_end_and_the_program_lives(
    tmp_path: Path, poison: Poison
) -> None:
    check(run_until_it_lives(tmp_path, poison, together=2), poison)


def test_sagas_that_wait_behind_a_poisoned_one_are_not_quarantined_with_it(tmp_path: Path) -> None:
    check(run_until_it_lives(tmp_path, Poison.STEP_EXITS, together=20), Poison.STEP_EXITS)

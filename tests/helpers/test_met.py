"""What a participant knows without a look into its store."""

from saga_choreography.helpers.met import MOST, Met
from saga_choreography.types import next_birth


def test_what_is_born_after_the_store_was_opened_is_new() -> None:
    before = next_birth()
    met = Met()
    assert not met.is_new(before)
    assert met.is_new(next_birth())


def test_a_saga_with_an_id_of_its_own_is_looked_up() -> None:
    assert not Met().is_new(0)


def test_what_has_ended_is_not_new_any_more() -> None:
    met, birth = Met(), next_birth()
    met.forget(birth)
    assert not met.is_new(birth)
    assert met.is_new(next_birth())


def test_it_stays_small_and_never_takes_an_ended_saga_for_new() -> None:
    met = Met()
    births = [next_birth() for _ in range(3 * MOST)]
    for birth in births:
        assert met.is_new(birth)
        met.forget(birth)
    assert not any(met.is_new(birth) for birth in births)
    assert met.is_new(next_birth())
    assert len(met._ended) <= MOST


def test_a_saga_that_lasts_longer_than_thousands_of_others_is_looked_up() -> None:
    met, slow = Met(), next_birth()
    for _ in range(2 * MOST):
        met.forget(next_birth())
    assert not met.is_new(slow), "it may have ended long ago"


def test_a_saga_that_a_restarted_initiator_told_of_is_not_taken_for_new_when_its_first_event_comes_at_last() -> None:
    met, birth = Met(), next_birth()
    met.forget(0)  # the same saga, as it was read from the journal
    assert not met.is_new(birth)
    assert met.is_new(next_birth())

"""When an empty answer proves that no order will appear."""

from uuid import UUID

import pytest
from attrs import evolve

from deribit_example.actors.order_coordinator.send_guard import SendGuard
from saga_choreography import IdempotencyKey, PeerId, SagaContext, SagaId

SAGA = SagaId(UUID(int=7))
DO = SagaContext(
    saga_id=SAGA,
    saga_type="deribit_order",
    step_name="place_order",
    initiator=PeerId("RiskManager"),
    saga_started_at_millis=0,
    attempt=1,
    idempotency_key=IdempotencyKey("7-place_order-do"),
)
UNDO = evolve(DO, idempotency_key=IdempotencyKey("7-place_order-undo"))


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> SendGuard:
    return SendGuard(8_500, clock)


def test_before_the_first_send_nothing_can_appear(guard: SendGuard) -> None:
    guard.first_attempt(DO)
    assert guard.is_clean(DO, "mine")
    assert guard.has_settled(DO, "mine")


def test_a_send_settles_once_validity_and_margin_have_passed(guard: SendGuard, clock: Clock) -> None:
    guard.first_attempt(DO)
    guard.sending(DO, "mine")
    clock.seconds += 8.49
    assert not guard.has_settled(DO, "mine")
    clock.seconds += 0.01
    assert guard.has_settled(DO, "mine")
    assert not guard.is_clean(DO, "mine"), "time alone does not prove that there is no order"


def test_a_later_send_counts_from_anew(guard: SendGuard, clock: Clock) -> None:
    guard.sending(DO, "mine")
    clock.seconds += 8
    guard.sending(DO, "mine")
    clock.seconds += 8
    assert not guard.has_settled(DO, "mine")


def test_a_key_of_a_former_process_counts_as_sent_when_it_is_first_heard_of(guard: SendGuard, clock: Clock) -> None:
    assert not guard.is_clean(DO, "theirs")
    clock.seconds += 8.5
    assert guard.has_settled(DO, "theirs")
    assert guard.has_settled(DO, "theirs-2"), "all labels of one key are heard of together"
    assert not guard.has_settled(UNDO, "other"), "another key is heard of on its own"


def test_a_first_attempt_forgets_no_send(guard: SendGuard) -> None:
    guard.sending(DO, "mine")
    guard.first_attempt(DO)
    assert not guard.is_clean(DO, "mine")


def test_what_was_not_sent_need_not_be_waited_for(guard: SendGuard) -> None:
    guard.first_attempt(DO)
    guard.sending(DO, "mine")
    guard.not_sent(DO, "mine")
    assert guard.is_clean(DO, "mine")


def test_a_send_under_one_label_says_nothing_about_the_next(guard: SendGuard) -> None:
    guard.first_attempt(DO)
    guard.sending(DO, "mine")
    assert guard.is_clean(DO, "mine-2")


def test_a_saga_that_was_forgotten_is_doubted_again(guard: SendGuard) -> None:
    guard.first_attempt(DO)
    guard.forget(SAGA)
    guard.forget(SAGA)
    assert not guard.is_clean(DO, "mine")

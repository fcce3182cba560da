"""The check of the demo: what it accepts, and that it names every way in which journals and books can differ."""

from decimal import Decimal
from uuid import UUID

from attrs import evolve

from deribit_example.demo.audit import Books, SagaStory, audit, saga_of_label
from deribit_example.exchange import OrderSnapshot, PositionSnapshot, TradeSnapshot
from deribit_example.saga.types import FilledOrder, PlacedOrder
from saga_choreography import SagaId
from saga_choreography.events import OutcomeKind
from saga_choreography.types import idempotency_key

BTC = "BTC-PERPETUAL"
GOOD = UUID("01900000-0000-7000-8000-0000000000a1")
BAD = UUID("01900000-0000-7000-8000-0000000000b2")
AMOUNT = Decimal(100)


def label_of(saga_id: UUID, direction: str = "do") -> str:
    return idempotency_key(SagaId(saga_id), "place_order", "do" if direction == "do" else "undo")


def order_of(
    saga_id: UUID,
    order_id: str,
    *,
    label: str | None = None,
    direction: str = "buy",
    order_state: str = "filled",
    amount: Decimal = AMOUNT,
    filled_amount: Decimal = AMOUNT,
) -> OrderSnapshot:
    return OrderSnapshot(
        order_id=order_id,
        label=label_of(saga_id) if label is None else label,
        instrument_name=BTC,
        direction=direction,
        order_type="limit",
        order_state=order_state,
        price=Decimal(84000),
        amount=amount,
        filled_amount=filled_amount,
        average_price=Decimal(84000),
        cancel_reason="",
        user_id=1,
        creation_timestamp=1,
        last_update_timestamp=2,
    )


def trade_of(order: OrderSnapshot) -> TradeSnapshot:
    return TradeSnapshot(
        trade_id=f"t-{order.order_id}",
        order_id=order.order_id,
        label=order.label,
        instrument_name=order.instrument_name,
        direction=order.direction,
        price=order.price,
        amount=order.filled_amount,
        liquidity="T",
        user_id=1,
        timestamp=2,
    )


def books_of(*orders: OrderSnapshot, size: Decimal = AMOUNT) -> Books:
    position = PositionSnapshot(
        instrument_name=BTC, user_id=1, size=size, average_price=Decimal(84000), realized_profit_loss=Decimal(0)
    )
    return Books(
        orders=orders, trades=tuple(trade_of(order) for order in orders if order.filled_amount), positions=(position,)
    )


COMPLETED = SagaStory(
    saga_id=GOOD,
    instrument=BTC,
    side="buy",
    outcome=OutcomeKind.COMPLETED,
    placed=PlacedOrder(
        instrument=BTC, order_id="1", label=label_of(GOOD), side="buy", amount=AMOUNT, price=Decimal(84000)
    ),
    filled=FilledOrder(order_id="1", filled_amount=AMOUNT, average_price=Decimal(84000)),
)
FAILED = SagaStory(saga_id=BAD, instrument=BTC, side="buy", outcome=OutcomeKind.FAILED)
ORDER = order_of(GOOD, "1")
CUT_SHORT = order_of(BAD, "2", order_state="cancelled", filled_amount=Decimal(40))
OFFSET = order_of(
    BAD, "3", label=label_of(BAD, "undo"), direction="sell", amount=Decimal(40), filled_amount=Decimal(40)
)


def only(differences: tuple[str, ...]) -> str:
    assert len(differences) == 1, differences
    return differences[0]


def test_a_filled_order_and_an_offset_one_agree_with_their_sagas() -> None:
    assert audit([COMPLETED, FAILED], books_of(ORDER, CUT_SHORT, OFFSET)) == ()


def test_nothing_at_all_agrees() -> None:
    assert audit([], Books(orders=(), trades=(), positions=())) == ()


def test_a_second_order_under_one_label_is_found() -> None:
    twice = books_of(ORDER, order_of(GOOD, "9"), size=2 * AMOUNT)
    found = audit([COMPLETED], twice)
    assert f"2 orders carry the label {label_of(GOOD)}" in found
    assert any("the exchange has 2 orders of it instead of one" in difference for difference in found)
    assert any("position" in difference for difference in found)


def test_an_order_that_is_still_open_is_found() -> None:
    resting = order_of(BAD, "2", order_state="open", filled_amount=Decimal(0))
    assert "order 2 " in only(audit([COMPLETED, FAILED], books_of(ORDER, resting)))


def test_an_order_without_a_saga_is_found() -> None:
    found = audit([COMPLETED], books_of(ORDER, CUT_SHORT, OFFSET))
    assert len(found) == 2
    assert all("belongs to no saga" in difference for difference in found)


def test_an_order_with_a_strange_label_is_found() -> None:
    stranger = order_of(GOOD, "7", label="by hand", order_state="cancelled", filled_amount=Decimal(0))
    assert "'by hand'" in only(audit([COMPLETED], books_of(ORDER, stranger)))


def test_a_completed_saga_without_its_order_is_found() -> None:
    found = audit([COMPLETED], books_of(size=Decimal(0)))
    assert any("which the exchange does not know" in difference for difference in found)


def test_a_saga_with_steps_but_without_a_start_is_found() -> None:
    assert str(BAD) in only(audit([COMPLETED], books_of(ORDER), orphans=[BAD]))


def test_a_saga_without_an_outcome_is_found() -> None:
    assert "has no outcome" in only(audit([COMPLETED, evolve(FAILED, outcome=None)], books_of(ORDER)))


def test_a_parked_saga_is_named_as_waiting_for_an_operator() -> None:
    parked = evolve(FAILED, outcome=None, is_parked=True)
    assert "waits for an operator" in only(audit([COMPLETED, parked], books_of(ORDER)))


def test_a_failed_saga_that_leaves_a_position_is_found() -> None:
    left = books_of(ORDER, CUT_SHORT, size=AMOUNT + 40)
    assert f"saga {BAD} has failed, but leaves 40 of {BTC}" in audit([COMPLETED, FAILED], left)


def test_a_wrong_position_is_found() -> None:
    assert only(audit([COMPLETED], books_of(ORDER, size=Decimal(90)))) == (
        f"the position in {BTC} is 90, the completed sagas add up to 100"
    )


def test_another_amount_in_the_journals_is_found() -> None:
    filled = FilledOrder(order_id="1", filled_amount=Decimal(90), average_price=Decimal(84000))
    found = audit([evolve(COMPLETED, filled=filled)], books_of(ORDER))
    assert f"saga {GOOD}: the filled amount is 90 in the journals and 100 at the exchange" in found


def test_a_completed_saga_whose_order_was_cancelled_is_found() -> None:
    cancelled = evolve(ORDER, order_state="cancelled")
    assert "is cancelled" in only(audit([COMPLETED], books_of(cancelled)))


def test_trades_that_do_not_add_up_are_found() -> None:
    books = evolve(books_of(ORDER), trades=())
    assert "its trades say 0" in only(audit([COMPLETED], books))


def test_a_label_leads_to_its_saga_in_both_directions() -> None:
    assert saga_of_label(label_of(GOOD)) == GOOD
    assert saga_of_label(label_of(GOOD, "undo")) == GOOD
    assert saga_of_label("x" * 40) is None
    assert saga_of_label("") is None

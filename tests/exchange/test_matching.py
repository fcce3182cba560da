"""The book and the matching rules, without any network."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from deribit_example.exchange.book import Book
from deribit_example.exchange.instruments import Side
from deribit_example.exchange.matching import Incoming, Matched, OrderType, TimeInForce, match

TICK = Decimal("0.5")


def submit(
    book: Book,
    order_id: str,
    side: Side,
    price: float,
    amount: int,
    *,
    order_type: OrderType = "limit",
    time_in_force: TimeInForce = "good_til_cancelled",
    post_only: bool = False,
    reject_post_only: bool = False,
) -> Matched:
    order = Incoming(
        order_id=order_id,
        side=side,
        order_type=order_type,
        limit=Decimal(str(price)),
        amount=Decimal(amount),
        time_in_force=time_in_force,
        post_only=post_only,
        reject_post_only=reject_post_only,
    )
    return match(book, order, TICK)


def test_better_prices_trade_first_and_older_orders_before_younger_ones() -> None:
    book = Book()
    submit(book, "late", "sell", 101, 10)
    submit(book, "first", "sell", 100, 10)
    submit(book, "second", "sell", 100, 10)
    matched = submit(book, "taker", "buy", 101, 25)
    assert [(fill.maker_id, fill.price, fill.amount) for fill in matched.fills] == [
        ("first", Decimal(100), Decimal(10)),
        ("second", Decimal(100), Decimal(10)),
        ("late", Decimal(101), Decimal(5)),
    ]
    assert matched.ending == "filled"


def test_what_is_left_of_a_limit_order_rests() -> None:
    book = Book()
    submit(book, "maker", "sell", 100, 10)
    assert submit(book, "taker", "buy", 100, 30).ending == "open"
    assert book.levels("buy", 5) == [(Decimal(100), Decimal(20))]


def test_what_is_left_of_market_and_immediate_orders_is_cancelled() -> None:
    book = Book()
    submit(book, "maker", "sell", 100, 10)
    matched = submit(book, "taker", "buy", 100, 30, time_in_force="immediate_or_cancel")
    assert (len(matched.fills), matched.ending) == (1, "cancelled")
    assert submit(book, "next", "buy", 100, 30, order_type="market").ending == "cancelled"
    assert book.best("buy") is None


def test_fill_or_kill_takes_all_or_nothing() -> None:
    book = Book()
    submit(book, "maker", "sell", 100, 10)
    assert submit(book, "big", "buy", 100, 11, time_in_force="fill_or_kill").fills == ()
    assert submit(book, "fits", "buy", 100, 10, time_in_force="fill_or_kill").ending == "filled"


def test_a_crossing_post_only_order_is_moved_behind_the_other_side() -> None:
    book = Book()
    submit(book, "maker", "sell", 100, 10)
    matched = submit(book, "polite", "buy", 105, 10, post_only=True)
    assert (matched.fills, matched.price, matched.ending) == ((), Decimal("99.5"), "open")


def test_a_crossing_post_only_order_can_ask_to_be_rejected() -> None:
    book = Book()
    submit(book, "maker", "sell", 100, 10)
    matched = submit(book, "polite", "buy", 105, 10, post_only=True, reject_post_only=True)
    assert matched.ending == "post_only_reject"
    assert "polite" not in book


def test_a_smaller_order_keeps_its_place() -> None:
    book = Book()
    submit(book, "first", "sell", 100, 10)
    submit(book, "second", "sell", 100, 10)
    book.reduce("first", Decimal(4))
    assert [fill.maker_id for fill in submit(book, "taker", "buy", 100, 10).fills] == ["first", "second"]


orders = st.tuples(
    st.sampled_from(("buy", "sell")),
    st.integers(190, 210),
    st.integers(1, 40),
    st.sampled_from(("good_til_cancelled", "immediate_or_cancel", "fill_or_kill")),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(orders, max_size=40))
def test_no_amount_is_made_or_lost_and_the_book_is_never_crossed(
    flow: list[tuple[Side, int, int, TimeInForce, bool]],
) -> None:
    book = Book()
    wanted: dict[str, Decimal] = {}
    traded: dict[str, Decimal] = {}
    cancelled: dict[str, Decimal] = {}
    for number, (side, halves, amount, time_in_force, post_only) in enumerate(flow):
        order_id = str(number)
        wanted[order_id] = Decimal(amount)
        makers = {entry.order_id: entry for entry in book.resting("sell" if side == "buy" else "buy")}
        matched = submit(book, order_id, side, halves / 2, amount, time_in_force=time_in_force, post_only=post_only)
        places = [(abs(fill.price), makers[fill.maker_id].sequence) for fill in matched.fills]
        assert places == sorted(places, key=lambda place: (place[0] if side == "buy" else -place[0], place[1]))
        taken = sum((fill.amount for fill in matched.fills), Decimal(0))
        traded[order_id] = traded.get(order_id, Decimal(0)) + taken
        for fill in matched.fills:
            traded[fill.maker_id] = traded.get(fill.maker_id, Decimal(0)) + fill.amount
        if matched.ending == "cancelled":
            cancelled[order_id] = Decimal(amount) - taken
        bid, ask = book.best("buy"), book.best("sell")
        assert bid is None or ask is None or bid < ask
    resting = {entry.order_id: entry.amount for entry in (*book.resting("buy"), *book.resting("sell"))}
    for order_id, amount_wanted in wanted.items():
        zero = Decimal(0)
        parts = (traded.get(order_id, zero), cancelled.get(order_id, zero), resting.get(order_id, zero))
        assert sum(parts) == amount_wanted

"""Text in, frames out, and back; and the verdicts of error codes."""

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deribit_example.actors.deribit_ws.errors import (
    BadReply,
    OutcomeUnknown,
    RequestRefused,
    Verdict,
    classify,
    error_for,
)
from deribit_example.actors.deribit_ws.parsing import parse_limits, parse_order, parse_order_event, parse_ticker
from deribit_example.actors.deribit_ws.records import RateLimit
from deribit_example.actors.deribit_ws.rpc import (
    Failure,
    Heartbeat,
    Ignored,
    Notification,
    Result,
    decode_frame,
    encode_request,
    to_json,
)

ORDER = {
    "order_id": "9",
    "order_state": "open",
    "instrument_name": "BTC-PERPETUAL",
    "direction": "buy",
    "amount": Decimal(40),
}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**12), max_value=10**12))
def test_a_decimal_travels_without_losing_a_digit(number: Decimal) -> None:
    assert json.loads(to_json(number), parse_float=Decimal, parse_int=Decimal) == number


def test_parameters_without_a_value_are_left_out() -> None:
    assert json.loads(encode_request(3, "public/test", {"a": None, "b": 'x"y'}))["params"] == {"b": 'x"y'}


def test_each_kind_of_frame_is_recognised() -> None:
    assert decode_frame('{"id":1,"result":2.50,"usIn":7}') == Result(id=1, result=Decimal("2.50"), server_micros=7)
    assert decode_frame('{"id":1,"error":{"code":11044,"message":"not_open_order"}}') == Failure(
        id=1, code=11044, message="not_open_order"
    )
    assert decode_frame('{"error":{"code":11050,"message":"bad_request","data":"invalid json"}}') == Failure(
        id=None, code=11050, message="bad_request", data="invalid json"
    )
    assert decode_frame('{"method":"subscription","params":{"channel":"c","data":[]}}') == Notification(
        channel="c", data=[]
    )
    assert decode_frame('{"method":"heartbeat","params":{"type":"test_request"}}') == Heartbeat(kind="test_request")
    assert decode_frame('{"result":1}') == Ignored(what="a reply without a usable id")


@given(st.text())
def test_no_text_whatever_makes_the_decoder_raise_anything_but_bad_reply(text: str) -> None:
    with contextlib.suppress(BadReply):
        decode_frame(text)


def test_an_unreadable_frame_is_not_quoted_because_it_could_hold_a_token() -> None:
    with pytest.raises(BadReply) as caught:
        decode_frame('{"result":{"access_token":"very-secret"')
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("code", [10009, 10043, 11044, 11054, 13004, 13009, 13032, 13666, 13888, -32602, -32601])
def test_codes_of_refusals_say_that_nothing_was_placed(code: int) -> None:
    assert classify(code) is Verdict.REFUSED


@pytest.mark.parametrize("code", [10028, 10040, 10041, 10047, 11051])
def test_codes_of_a_busy_exchange_are_throttling(code: int) -> None:
    assert classify(code) is Verdict.THROTTLED


@pytest.mark.parametrize("code", [10001, 10050, 11031, 11094, 13028, 13503, 99999, 0])
def test_every_other_code_leaves_the_outcome_unknown(code: int) -> None:
    assert classify(code) is Verdict.UNKNOWN
    assert isinstance(error_for(code, "m", None), OutcomeUnknown)


def test_a_refusal_shows_code_reason_and_remedy() -> None:
    error = error_for(-32602, "Invalid params", {"param": "amount"})
    assert isinstance(error, RequestRefused)
    assert all(part in str(error) for part in ("-32602", "Invalid params", "amount", "nothing was placed"))


def test_an_order_is_read_although_fields_are_missing_or_unknown() -> None:
    order = parse_order({**ORDER, "price": "market_price", "order_state": "brand_new", "some_new_field": {}})
    assert (order.state, order.price, order.filled_amount, order.label) == ("unknown", None, Decimal(0), "")


@pytest.mark.parametrize("missing", ["order_id", "order_state", "instrument_name", "direction", "amount"])
def test_an_order_without_its_essentials_is_a_bad_reply_that_names_the_field(missing: str) -> None:
    with pytest.raises(BadReply, match=missing):
        parse_order({name: value for name, value in ORDER.items() if name != missing})


def test_an_order_event_is_one_order_or_a_list_of_them() -> None:
    assert parse_order_event(ORDER) == parse_order_event([ORDER])


def test_an_empty_side_of_a_ticker_is_none() -> None:
    ticker = parse_ticker(
        {"instrument_name": "i", "mark_price": 5, "timestamp": 1, "best_bid_price": 0, "best_ask_price": None}
    )
    assert (ticker.best_bid_price, ticker.best_ask_price) == (None, None)


def test_limits_of_the_account_are_read_and_missing_ones_stay_none() -> None:
    limits = parse_limits(
        {
            "limits": {
                "non_matching_engine": {"burst": 1500, "rate": 1000},
                "matching_engine": {"trading": {"total": {"burst": 20, "rate": 5}}},
            }
        }
    )
    assert limits.non_matching_engine == RateLimit(rate=1000, burst=1500)
    assert limits.matching_engine == RateLimit(rate=5, burst=20)
    assert limits.cancel_all is None

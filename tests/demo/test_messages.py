"""The lines between the processes of the demo: read back exactly, and refused when they are not ours."""

import pytest

from deribit_example.demo.messages import (
    BadLine,
    Decided,
    FactSeen,
    Inject,
    Ready,
    Stop,
    decode_command,
    decode_report,
    encode,
)


@pytest.mark.parametrize(
    "report",
    [
        Ready(pid=7, live="aa bb"),
        FactSeen(saga="aa", event="StepFailed", at_millis=3, step="place_order", attempt=2, detail="no\nluck \u2713"),
        Decided(instrument="BTC-PERPETUAL", side="buy", confidence="0.93", saga="aa"),
    ],
)
def test_a_report_is_one_line_and_is_read_back_exactly(report: Ready | FactSeen | Decided) -> None:
    line = encode(report)
    assert line.count("\n") == 1
    assert decode_report(line) == report


def test_a_command_is_read_back_exactly() -> None:
    inject = Inject(instrument="BTC-PERPETUAL", side="buy", confidence="0.9", price="84000")
    assert decode_command(encode(inject)) == inject
    assert decode_command(encode(Stop())) == Stop()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Traceback (most recent call last):",
        "[1]",
        '{"kind": "Shutdown"}',
        '{"kind": "Ready", "pid": "7"}',
        '{"kind": "Ready", "pid": true}',
        '{"kind": "Ready"}',
        '{"kind": "Ready", "pid": 7, "more": 1}',
        '{"kind": "Rea',
    ],
)
def test_a_line_that_is_no_report_is_refused(line: str) -> None:
    with pytest.raises(BadLine):
        decode_report(line)


def test_the_two_directions_do_not_mix() -> None:
    with pytest.raises(BadLine):
        decode_report(encode(Stop()))


def test_a_ready_report_lists_the_sagas_it_goes_on_with() -> None:
    assert Ready(pid=1, live="aa bb").live_sagas == ("aa", "bb")
    assert Ready(pid=1).live_sagas == ()

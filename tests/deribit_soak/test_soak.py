"""The trading program is killed again and again while the exchange misbehaves: no order is doubled or left behind."""

from pathlib import Path

import pytest

from tests.deribit_soak.broken import BELIEVES_SILENCE, UNDOES_NOTHING
from tests.deribit_soak.checking import totals, violations
from tests.deribit_soak.evidence import Evidence
from tests.deribit_soak.places import Places
from tests.deribit_soak.soaking import Run, soak


def test_a_program_that_is_killed_again_and_again_keeps_every_promise(evidence: Evidence) -> None:
    counted = totals(evidence)
    assert violations(evidence) == ()
    assert counted.completed > 0
    assert counted.failed > 0
    assert counted.orders >= counted.completed
    assert (counted.double_orders, counted.orders_left_behind, counted.unfinished) == (0, 0, 0)
    assert set(evidence.acknowledged) <= {saga.saga_id for saga in evidence.sagas}


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_program_that_is_killed_a_thousand_times_keeps_every_promise(tmp_path: Path) -> None:
    run = Run()
    verdict = soak(Places(tmp_path), 1_000, 11, print, run)
    assert verdict.wrong == (), "\n".join((*verdict.wrong, *verdict.told))
    at_points = sum(count for how, count in run.kills.items() if "fault point" in how)
    assert at_points >= 300, run.kills
    assert verdict.totals.completed > 1_000
    assert verdict.totals.failed_after_an_order > 100


def test_a_program_that_undoes_nothing_is_found_out(tmp_path: Path) -> None:
    verdict = soak(Places(tmp_path), 6, 7, print, Run(), UNDOES_NOTHING)
    assert verdict.totals.orders_left_behind > 0
    assert any("has failed, but leaves" in sentence for sentence in verdict.wrong), verdict.wrong
    assert any("initiator 1: SagaAccepted" in line for line in verdict.told), verdict.told


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_program_that_believes_an_early_silence_is_found_out(tmp_path: Path) -> None:
    verdict = soak(Places(tmp_path), 60, 7, print, Run(), BELIEVES_SILENCE)
    assert verdict.totals.double_orders > 0
    assert any("orders carry the label" in sentence for sentence in verdict.wrong), verdict.wrong

# pyright: strict
"""Payload classes that change, and what an upgrade would leave behind. Checked by mypy and pyright, never run."""

from collections.abc import Mapping
from pathlib import Path
from typing import assert_type

from attrs import field, frozen

from saga_choreography import Saga, SagaWorkflow, Step, UpgradeFault, UpgradeReport, check_upgrade, stored_as, versioned


def in_cents(price: Mapping[str, object]) -> Mapping[str, object]:
    """Version 1 counted in euros."""
    euros = price["euros"]
    assert isinstance(euros, int)
    return {"cents": euros * 100}


@versioned(2, {1: in_cents})
@frozen
class Price:
    cents: int
    buyer: str = field(default="", metadata=stored_as("buyer", formerly=("customer",)))


SALE = Saga("sale", Price)
CHARGE = Step[Price, Price]("charge", Price, after=SALE)
SALE_WORKFLOW = SagaWorkflow(SALE, steps=(CHARGE,))

assert_type(Price(5).cents, int)


def would_resume(data_dir: Path) -> bool:
    """What `saga-choreography check-upgrade` prints."""
    report = check_upgrade(data_dir, [SALE_WORKFLOW])
    assert_type(report, UpgradeReport)
    for fault in report.faults:
        assert_type(fault, UpgradeFault)
    return not report.faults

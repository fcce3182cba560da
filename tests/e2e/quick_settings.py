"""Settings for tests: small orders in three instruments, and short waits where an order's fate must be settled."""

from decimal import Decimal
from typing import Final

from attrs import evolve

from deribit_example.actors.risk_manager import RiskLimits
from deribit_example.program import ProgramSettings
from tests.e2e.mock_books import BTC, ETH, SOL

AMOUNTS: Final = {BTC: Decimal(40), ETH: Decimal(10), SOL: Decimal(1)}
QUICK: Final = ProgramSettings(
    limits=RiskLimits(order_amounts=AMOUNTS, breaker_failures=3),
    # The mock knows no deadlines, so orders cannot be late for it.
    order_validity_millis=300,
    settle_margin_millis=100,
    # Longer than any test waits: a lost update must be found by what the test is about, not by the last resort.
    follow_up_millis=3_600_000,
)
# The exchange does: an order must not be late for it even on a busy machine ...
AGAINST_EXCHANGE: Final = evolve(QUICK, order_validity_millis=20_000, settle_margin_millis=500)
# ... but where it never took the order, that is known only when the deadline is over.
SOON_SETTLED: Final = evolve(QUICK, order_validity_millis=1_400, settle_margin_millis=100)


def with_limits(limits: RiskLimits) -> ProgramSettings:
    """The quick settings with other limits."""
    return evolve(QUICK, limits=limits)

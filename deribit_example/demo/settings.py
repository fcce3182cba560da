"""How the program is set up for each way of running it."""

from decimal import Decimal
from typing import Final, Literal, TypeAlias, assert_never

from attrs import frozen

from deribit_example.actors.risk_manager import RiskLimits
from deribit_example.actors.ta_signal import CrossoverSettings
from deribit_example.program import ProgramSettings

Mode: TypeAlias = Literal["demo", "watch", "place"]

_DEMO_AMOUNTS: Final = {
    "BTC-PERPETUAL": Decimal(100),
    "ETH-PERPETUAL": Decimal(100),
    "SOL_USDC-PERPETUAL": Decimal(5),
}
_SMALLEST_AMOUNTS: Final = {"BTC-PERPETUAL": Decimal(10), "ETH-PERPETUAL": Decimal(1)}


@frozen(kw_only=True)
class ModeSettings:
    """Instruments to watch, the program's settings, and whether signals reach the risk manager at all."""

    instruments: tuple[str, ...]
    program: ProgramSettings
    trades: bool


def settings_for(mode: Mode) -> ModeSettings:
    """The demo reacts to a jump within a few prices and to nothing else; the live modes are slow and small."""
    match mode:
        case "demo":
            limits = RiskLimits(
                order_amounts=_DEMO_AMOUNTS,
                min_confidence=0.8,
                price_slippage=Decimal("0.005"),
                breaker_failures=5,
            )
            signals = CrossoverSettings(fast=3, slow=8, rsi=5)
            program = ProgramSettings(limits=limits, signals=signals, follow_up_millis=15_000)
            return ModeSettings(instruments=tuple(_DEMO_AMOUNTS), program=program, trades=True)
        case "watch" | "place":
            limits = RiskLimits(order_amounts=_SMALLEST_AMOUNTS, exposure_limit=Decimal(50))
            program = ProgramSettings(limits=limits, max_in_flight=2)
            return ModeSettings(instruments=tuple(_SMALLEST_AMOUNTS), program=program, trades=mode == "place")
        case _:
            assert_never(mode)

"""Credit pools: every account spends them on requests and earns them back with time."""

from typing import Literal, final

from attrs import field, frozen

from deribit_example.exchange.wire import Json

Pool = Literal["non_matching_engine", "matching_engine", "cancel_all", "subscribe", "get_instruments", "free"]


@frozen
class Rate:
    """A pool: requests per second, and how many may come at once."""

    per_second: float
    burst: int

    def as_json(self) -> dict[str, Json]:
        """The shape of `limits` in an account summary."""
        return {"burst": self.burst, "rate": self.per_second}


def _default_rates() -> dict[Pool, Rate]:
    return {
        "non_matching_engine": Rate(20, 100),
        "matching_engine": Rate(30, 100),
        "cancel_all": Rate(5, 20),
        "subscribe": Rate(3.3, 10),
        "get_instruments": Rate(1, 50),
    }


@frozen(kw_only=True)
class CreditLimits:
    """The pools of an account; `enforced=False` publishes them but never refuses."""

    rates: dict[Pool, Rate] = field(factory=_default_rates)
    enforced: bool = True

    def as_json(self) -> dict[str, Json]:
        """The `limits` member of an account summary."""
        return {
            "limits_per_currency": False,
            "non_matching_engine": self.rates["non_matching_engine"].as_json(),
            "matching_engine": {
                "trading": {"total": self.rates["matching_engine"].as_json()},
                "cancel_all": self.rates["cancel_all"].as_json(),
            },
        }


@final
class CreditPools:
    """What every account has left, on the clock of the exchange."""

    def __init__(self, limits: CreditLimits) -> None:
        self._limits = limits
        self._left: dict[tuple[int, Pool], tuple[float, int]] = {}

    def spend(self, user_id: int, pool: Pool, now_micros: int) -> bool:
        """Pay for one request; False when the pool is empty. A clock set back earns nothing and costs nothing."""
        rate = self._limits.rates.get(pool)
        if rate is None or not self._limits.enforced:
            return True
        left, since = self._left.get((user_id, pool), (float(rate.burst), now_micros))
        earned = max(0, now_micros - since) / 1_000_000 * rate.per_second
        left = min(float(rate.burst), left + earned)
        paid = left >= 1
        self._left[(user_id, pool)] = (left - 1 if paid else left, now_micros)
        return paid

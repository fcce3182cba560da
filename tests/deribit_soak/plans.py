"""What a cycle does, drawn from one seeded generator: faults, events of the market, signals, and the way it dies."""

from collections.abc import Callable
from enum import Enum, unique
from random import Random
from typing import Final, final

from attrs import frozen

from deribit_example.exchange import DropKind, ExchangeControl, FaultName
from saga_choreography.helpers.fault_points import FaultPoint
from tests.deribit_soak.desk import NAMES, side_of

ACTORS: Final = ("OrderCoordinator", "OrderCoordinator", "OrderPlacer", "OrderMonitor", "RiskManager")
"""The coordinator twice: it is the one whose crashes cost money."""
OFTEN: Final = {
    FaultPoint.BEFORE_COMMIT: 40,
    FaultPoint.AFTER_COMMIT: 40,
    FaultPoint.AFTER_PUBLISH: 40,
    FaultPoint.BEFORE_CALL: 20,
    FaultPoint.AFTER_CALL: 20,
    FaultPoint.RECOVERING: 6,
}
"""How often an actor may reach a point in one life."""
ENDS: Final = (DropKind.RESET, DropKind.EOF, DropKind.CLOSE, DropKind.HEARTBEAT_CLOSE)
PLACING: Final = ("private/buy", "private/sell")
ASKING: Final = ("private/get_order_state_by_label", "private/get_order_state", "public/ticker", "private/subscribe")
CALLS: Final = (*PLACING, *PLACING, "private/cancel", "private/cancel", *ASKING)


@unique
class Mishap(Enum):
    """What may happen at the exchange while the program lives."""

    FILL = "an order that rests is filled"
    CANCEL = "an order that rests is cancelled by the exchange"
    DROP = "all connections end"
    STALL = "all connections fall silent"
    PRICE = "a price jumps"
    MAINTENANCE = "the platform is closed"
    REOPENED = "the platform is open again"
    HOLD = "nothing is filled in one instrument"
    RELEASE = "everything may be filled again"


MISHAPS: Final[tuple[Mishap, ...]] = (*(each for each in Mishap if each is not Mishap.REOPENED), Mishap.FILL)
CALM_EVERY: Final = 25
CALM_SECONDS: Final = 4.0
"""What is in doubt is settled a while after a restart, not sooner. Who is always killed before uses up the attempts of
its steps, and then an operator is asked, rightly: so every so often a life is long, and nothing goes wrong in it.
"""


@final
@frozen(kw_only=True)
class FaultPlan:
    """One switch to arm, see `FaultSwitches.arm`."""

    name: FaultName
    method: str | None = None
    instrument: str | None = None
    count: int = 1
    millis: int = 0
    fraction: float | None = None
    code: int | None = None
    kind: DropKind = DropKind.RESET
    disconnect: bool = False

    def arm(self, control: ExchangeControl) -> None:
        """Arm it."""
        control.arm_fault(
            self.name,
            count=self.count,
            method=self.method,
            instrument=self.instrument,
            millis=self.millis,
            fraction=self.fraction,
            code=self.code,
            kind=self.kind,
            disconnect=self.disconnect,
        )


@final
@frozen(kw_only=True)
class KillPlan:
    """SIGKILL `after_seconds`, or before that when an actor reaches a fault point for the `nth` time.

    `from_first_order`: the time begins when the first saga is acknowledged, not with the process.
    """

    after_seconds: float
    from_first_order: bool
    point: FaultPoint | None = None
    peer: str | None = None
    nth: int = 0


@final
@frozen(kw_only=True)
class CyclePlan:
    """One life of the trading program. `mishaps`: seconds into it, and what happens at the exchange then."""

    number: int
    seed: int
    kill: KillPlan
    signals: int
    at_once: int
    faults: tuple[FaultPlan, ...]
    mishaps: tuple[tuple[float, Mishap], ...] = ()


def plan_cycle(chance: Random, number: int) -> CyclePlan:
    """The next cycle."""
    if number % CALM_EVERY == 0:
        kill = KillPlan(after_seconds=CALM_SECONDS, from_first_order=False)
        return CyclePlan(number=number, seed=chance.getrandbits(32), kill=kill, signals=10, at_once=2, faults=())
    kill = _plan_kill(chance)
    mishaps = [(chance.uniform(0, kill.after_seconds), chance.choice(MISHAPS)) for _ in range(chance.randint(0, 3))]
    closed = [at for at, mishap in mishaps if mishap is Mishap.MAINTENANCE]
    mishaps += [(at + chance.uniform(0.05, 0.2), Mishap.REOPENED) for at in closed]
    return CyclePlan(
        number=number,
        seed=chance.getrandbits(32),
        kill=kill,
        signals=chance.randint(10, 40),
        at_once=chance.randint(2, 8),
        faults=tuple(chance.choice(_FAULTS)(chance) for _ in range(chance.randint(2, 7))),
        mishaps=tuple(sorted(mishaps, key=lambda each: each[0])),
    )


def _plan_kill(chance: Random) -> KillPlan:
    seconds = chance.uniform(0.02, 0.9) if chance.random() < 0.75 else chance.uniform(1.0, 2.5)
    if chance.random() < 0.4:
        return KillPlan(after_seconds=seconds, from_first_order=chance.random() < 0.6)
    point = chance.choice(tuple(OFTEN))
    peer = chance.choice(ACTORS)
    if point in (FaultPoint.BEFORE_CALL, FaultPoint.AFTER_CALL):
        peer = chance.choice(ACTORS[:-1])  # no step is the risk manager's
    # A point that is not reached in time is no kill at a point: the process then dies at the end of its time.
    return KillPlan(
        after_seconds=seconds + 0.6,
        from_first_order=True,
        point=point,
        peer=peer,
        nth=1 + int((chance.random() ** 1.5) * OFTEN[point]),
    )


# ---------------------------------------------------------------- faults: none of them asks for an operator


def _forward(chance: Random) -> tuple[str, str]:
    """An instrument, and the method of its orders: their offsets go by the other one."""
    name = chance.choice(NAMES)
    return name, f"private/{side_of(name)}"


def _lost_request(chance: Random) -> FaultPlan:
    return FaultPlan(name=FaultName.DROP_BEFORE_APPLY, method=chance.choice(CALLS), kind=chance.choice(ENDS))


def _lost_answer(chance: Random) -> FaultPlan:
    return FaultPlan(name=FaultName.APPLY_THEN_DROP, method=chance.choice(CALLS), kind=chance.choice(ENDS))


def _silent_after(chance: Random) -> FaultPlan:
    return FaultPlan(name=FaultName.APPLY_THEN_DROP, method=chance.choice(CALLS), kind=DropKind.STALL)


def _applied_late(chance: Random) -> FaultPlan:
    millis = chance.randint(5, 400)
    return FaultPlan(name=FaultName.DROP_THEN_APPLY, method=chance.choice(PLACING), millis=millis)


def _late_answer(chance: Random) -> FaultPlan:
    return FaultPlan(name=FaultName.DELAY_REPLY, method=chance.choice(CALLS), millis=chance.randint(5, 700))


def _odd_news(chance: Random) -> FaultPlan:
    odd = (FaultName.EVENT_BEFORE_REPLY, FaultName.DUPLICATE_USER_ORDER_EVENT, FaultName.LOSE_USER_ORDER_EVENT)
    return FaultPlan(name=chance.choice(odd), count=chance.randint(1, 4))


def _resting(chance: Random) -> FaultPlan:
    name, method = _forward(chance)
    fraction = round(chance.choice((0.0, chance.random())), 2)
    return FaultPlan(name=FaultName.PARTIAL_FILL, instrument=name, method=method, fraction=fraction)


def _thin_market(chance: Random) -> FaultPlan:
    return FaultPlan(name=FaultName.PARTIAL_FILL, method=chance.choice(PLACING), fraction=chance.uniform(0.3, 0.9))


def _race(chance: Random) -> FaultPlan:
    return FaultPlan(name=FaultName.FILL_BEFORE_CANCEL, fraction=chance.choice((None, 0.5)))


def _error(chance: Random) -> FaultPlan:
    name = chance.choice((FaultName.ERROR_BEFORE, FaultName.ERROR_AFTER))
    return FaultPlan(name=name, method=chance.choice(CALLS), code=chance.choice((13028, 11094)))


def _reject(chance: Random) -> FaultPlan:
    name, method = _forward(chance)
    return FaultPlan(name=FaultName.REJECT_ORDER, instrument=name, method=method)


def _unplaceable(chance: Random) -> FaultPlan:
    return FaultPlan(name=FaultName.REJECT_ORDER, method="public/ticker", instrument=chance.choice(NAMES), code=13020)


def _limited(chance: Random) -> FaultPlan:
    method = chance.choice(("private/*", *CALLS))
    return FaultPlan(name=FaultName.RATE_LIMIT, method=method, disconnect=chance.random() < 0.5)


def _settling(chance: Random) -> FaultPlan:
    return FaultPlan(name=FaultName.SETTLEMENT, method=chance.choice((*PLACING, "private/cancel")))


def _ended(chance: Random) -> FaultPlan:
    name = chance.choice((FaultName.HEARTBEAT_CLOSE, FaultName.RESET, FaultName.SILENT_STALL))
    return FaultPlan(name=name, method=chance.choice(CALLS))


def _expired(chance: Random) -> FaultPlan:
    return FaultPlan(name=FaultName.EXPIRE_TOKENS)


def _unreachable(chance: Random) -> FaultPlan:
    return FaultPlan(name=FaultName.REFUSE_CONNECTIONS, count=chance.randint(1, 3))


_FAULTS: Final[tuple[Callable[[Random], FaultPlan], ...]] = (
    _lost_request,
    _lost_answer,
    _lost_answer,
    _silent_after,
    _applied_late,
    _late_answer,
    _late_answer,
    _odd_news,
    _resting,
    _resting,
    _thin_market,
    _race,
    _error,
    _reject,
    _reject,
    _unplaceable,
    _limited,
    _settling,
    _ended,
    _expired,
    _unreachable,
)

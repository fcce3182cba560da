"""What goes wrong in one schedule: drawn from its seed, from nothing at all up to everything at once."""

from enum import Enum
from random import Random
from typing import final

from attrs import frozen


class Turnout(Enum):
    """How a call of business code goes. WITH and WITHOUT say whether its effect happened."""

    OK = "ok"
    RETRYABLE = "retryable"
    TERMINAL = "terminal"
    AMBIGUOUS_WITH = "ambiguous, with effect"
    AMBIGUOUS_WITHOUT = "ambiguous, without effect"
    AMBIGUOUS_LATER = "ambiguous, and still going on"
    UNEXPECTED_WITH = "exception, with effect"
    UNEXPECTED_WITHOUT = "exception, without effect"
    PENDING = "pending"


_TROUBLE = tuple(turnout for turnout in Turnout if turnout is not Turnout.OK)


@final
@frozen(kw_only=True)
class Profile:
    """Chances, each between 0 and 1, of what may happen in one schedule."""

    crash: float
    """That a turn, or a recovery, is killed at one of its points."""
    all_at_once: float
    """That a crash takes every node with it."""
    duplicate: float
    delay: float
    shuffle: float
    """That a turn takes its messages out of order."""
    trouble: float
    """That a forward call does not go well."""
    undo_trouble: float
    kinds: tuple[Turnout, ...]
    """Which kinds of trouble this schedule knows: few at a time reach further than all of them mixed."""
    clock_jump: float
    cancel: float
    prune: float
    deadlines: bool
    """Whether plans have timeouts short enough to matter."""
    horizon: int
    """Turns after which faults stop."""

    @property
    def keeps_order(self) -> bool:
        """Whether messages and nodes are perfect: then nothing may ever be told twice."""
        return not (self.crash or self.duplicate or self.delay or self.shuffle)

    @property
    def is_smooth(self) -> bool:
        """Whether nothing at all goes wrong: then no timer may be needed."""
        return self.keeps_order and not (self.trouble or self.undo_trouble or self.cancel or self.deadlines)


def draw_profile(rng: Random) -> Profile:
    """The kind of weather of one schedule."""

    def chance(*values: float) -> float:
        return rng.choice(values)

    if rng.random() < 0.08:
        return Profile(
            crash=0, all_at_once=0, duplicate=0, delay=0, shuffle=0, trouble=0, undo_trouble=0, kinds=_TROUBLE,
            clock_jump=chance(0, 0.05), cancel=0, prune=chance(0, 0.05), deadlines=False, horizon=10_000,
        )  # fmt: skip
    if rng.random() < 0.08:  # long waits outside, overtaken by cancels and crashes
        return Profile(
            crash=0.2, all_at_once=chance(0, 1), duplicate=0, delay=chance(0, 0.1), shuffle=0, trouble=0.8,
            undo_trouble=0, kinds=(Turnout.PENDING, Turnout.AMBIGUOUS_LATER), clock_jump=0, cancel=0.05, prune=0,
            deadlines=False, horizon=100,
        )  # fmt: skip
    calm = rng.random() < 0.15
    return Profile(
        crash=0 if calm else chance(0, 0.05, 0.2, 0.6),
        all_at_once=chance(0, 0.3, 1),
        duplicate=0 if calm else chance(0, 0.05, 0.3),
        delay=0 if calm else chance(0, 0.1, 0.4),
        shuffle=0 if calm else chance(0, 0.5, 1),
        trouble=chance(0, 0.1, 0.3, 0.6),
        undo_trouble=chance(0, 0.2, 0.6),
        kinds=_TROUBLE if rng.random() < 0.4 else tuple(rng.sample(_TROUBLE, rng.randint(1, 4))),
        clock_jump=chance(0, 0, 0.05),
        cancel=chance(0, 0.01, 0.05),
        prune=chance(0, 0, 0.05),
        deadlines=rng.random() < 0.3,
        horizon=rng.choice((40, 100, 250)),
    )


@final
class Fate:
    """The dice of one schedule. Once faults have stopped, every call goes well."""

    def __init__(self, rng: Random, profile: Profile) -> None:
        self.rng = rng
        self.profile = profile
        self.is_over = False

    def strikes(self, chance: float) -> bool:
        """Whether something of this chance happens now."""
        return chance > 0 and not self.is_over and self.rng.random() < chance

    def forward(self) -> Turnout:
        return self._turnout(self.profile.trouble)

    def undo(self) -> Turnout:
        return self._turnout(self.profile.undo_trouble)

    def _turnout(self, chance: float) -> Turnout:
        return self.rng.choice(self.profile.kinds) if self.strikes(chance) else Turnout.OK

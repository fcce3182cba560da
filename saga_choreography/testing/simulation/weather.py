"""What goes wrong in one schedule: drawn from its seed, from nothing at all up to everything at once."""

from enum import Enum
from random import Random
from typing import Final, final

from attrs import evolve, frozen


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


ENCODED: Final = 0.1
"""The share of schedules whose stores hold bytes."""
TROUBLE: Final = tuple(turnout for turnout in Turnout if turnout is not Turnout.OK)


@final
@frozen(kw_only=True)
class Weather:
    """Chances, each between 0 and 1, of what may happen in one schedule."""

    crash: float = 0.0
    """That a message, or a recovery, is cut short at one of its fault points."""
    all_at_once: float = 0.0
    """That a crash takes the whole process along."""
    shutdown: float = 0.0
    """That the program is stopped in good order, and started again."""
    duplicate: float = 0.0
    delay: float = 0.0
    shuffle: float = 0.0
    """That a mailbox is put out of order before a message is taken."""
    full: float = 0.0
    """That a commit finds its disk full, for a while."""
    hook: float = 0.0
    """That a hook of user code raises."""
    trouble: float = 0.0
    """That a forward call does not go well."""
    undo_trouble: float = 0.0
    slow: float = 0.0
    """That a call takes its time."""
    kinds: tuple[Turnout, ...] = TROUBLE
    """Which kinds of trouble this schedule knows: few at a time reach further than all of them mixed."""
    clock_jump: float = 0.0
    cancel: float = 0.0
    prune: float = 0.0
    deadlines: bool = False
    """Whether plans have timeouts short enough to matter."""
    encodes: bool = True
    """Whether stores hold bytes, as LMDB does, or plain objects, which is faster."""
    horizon: int = 10_000
    """Messages after which faults stop."""

    @property
    def keeps_order(self) -> bool:
        """Whether messages and actors are perfect: then nothing may ever be told twice."""
        return not (self.crash or self.shutdown or self.duplicate or self.delay or self.shuffle)

    @property
    def is_smooth(self) -> bool:
        """Whether nothing at all goes wrong: then no timer may be needed."""
        return self.keeps_order and not (self.trouble or self.undo_trouble or self.cancel or self.deadlines)


def draw_weather(rng: Random) -> Weather:
    """The weather of one schedule."""
    return evolve(_draw(rng), encodes=rng.random() < ENCODED)


def _draw(rng: Random) -> Weather:

    def one_of(*values: float) -> float:
        return rng.choice(values)

    kind = rng.random()
    if kind < 0.08:
        return Weather(clock_jump=one_of(0, 0.05), prune=one_of(0, 0.05), slow=one_of(0, 0.3))
    if kind < 0.16:  # long waits outside, overtaken by cancels and crashes
        return Weather(
            crash=0.1,
            all_at_once=one_of(0, 1),
            delay=one_of(0, 0.1),
            trouble=0.8,
            kinds=(Turnout.PENDING, Turnout.AMBIGUOUS_LATER),
            cancel=0.03,
            horizon=80,
        )
    calm = rng.random() < 0.15
    return Weather(
        crash=0 if calm else one_of(0, 0.03, 0.1, 0.3),
        all_at_once=one_of(0, 0.3, 1),
        shutdown=0 if calm else one_of(0, 0, 0.01),
        duplicate=0 if calm else one_of(0, 0.05, 0.3),
        delay=0 if calm else one_of(0, 0.1, 0.4),
        shuffle=0 if calm else one_of(0, 0.25, 0.5),
        full=one_of(0, 0, 0.03),
        hook=one_of(0, 0, 0.2),
        trouble=one_of(0, 0.1, 0.3, 0.6),
        undo_trouble=one_of(0, 0.2, 0.6),
        slow=one_of(0, 0.2),
        kinds=TROUBLE if rng.random() < 0.4 else tuple(rng.sample(TROUBLE, rng.randint(1, 4))),
        clock_jump=one_of(0, 0, 0.05),
        cancel=one_of(0, 0.01, 0.03),
        prune=one_of(0, 0, 0.05),
        deadlines=rng.random() < 0.3,
        horizon=rng.choice((30, 60, 150)),
    )

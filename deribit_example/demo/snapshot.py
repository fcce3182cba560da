"""What a view can show: lines of the log, sagas with their time lines, and everything at one moment. Frozen records."""

from collections.abc import Iterable
from enum import Enum
from typing import final

from attrs import field, frozen

from deribit_example.demo.audit import Books
from deribit_example.demo.journals import SagaRecords
from deribit_example.demo.timeline import Moment
from deribit_example.exchange import Stats


class Source(Enum):
    """Who a line is about."""

    SCENE = "scene"
    EXCHANGE = "exchange"
    PROGRAM = "program"
    SIGNAL = "signal"
    FACT = "fact"
    SAGA = "saga"


@final
@frozen(kw_only=True)
class Line:
    """One line of the log; `moment` is set for a line of a saga's time line, `heading` for one that starts a scene."""

    source: Source
    text: str = ""
    saga: str = ""
    moment: Moment | None = None
    heading: bool = False


@final
@frozen(kw_only=True)
class SceneTitle:
    """What the person is looking at; number 0 is no scene of a play."""

    number: int
    title: str
    story: str

    @property
    def heading(self) -> str:
        return f"Scene {self.number}. {self.title}" if self.number else self.title


@final
@frozen(kw_only=True)
class SagaView:
    """A saga, the scene it belongs to (0: none), and its time line so far."""

    scene: int
    records: SagaRecords
    moments: tuple[Moment, ...]


@final
@frozen(kw_only=True)
class Snapshot:
    """A consistent view of everything, for drawing."""

    scene: SceneTitle | None = None
    scenes: int = 0
    program: str = "not started"
    pid: int = 0
    connected: bool = False
    prices: dict[str, tuple[float, ...]] = field(factory=dict)
    ticks: int = 0
    weak_signals: int = 0
    sagas: tuple[SagaView, ...] = ()
    log: tuple[Line, ...] = ()
    books: Books | None = None
    stats: Stats | None = None


def last_lines(log: Iterable[Line], sources: frozenset[Source], count: int) -> tuple[Line, ...]:
    """The newest lines of some sources, oldest first."""
    return tuple(line for line in log if line.source in sources)[-count:]

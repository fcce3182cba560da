"""What is known of the run right now. Written by the threads that learn something, read by the views, waited on by the
scenes: every change wakes whoever waits, so nothing polls and nothing sleeps.
"""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Final, TypeVar, final

from attrs import evolve

from deribit_example.demo.audit import Books
from deribit_example.demo.exits import DemoError, SceneFailed
from deribit_example.demo.journals import SagaRecords
from deribit_example.demo.messages import (
    ConnectionChanged,
    Decided,
    FactSeen,
    NoticeSeen,
    Ready,
    Refused,
    Report,
    TickSeen,
)
from deribit_example.demo.snapshot import Line, SagaView, SceneTitle, Snapshot, Source
from deribit_example.demo.timeline import Moment, Tone, timeline
from deribit_example.exchange import Stats

PRICES_KEPT: Final = 60
LINES_KEPT: Final = 300

T = TypeVar("T")


@final
class Board:
    """Thread-safe. `listener` hears of every line, in order, outside of any wait."""

    def __init__(self, listener: Callable[[Line], None], *, scenes: int = 0) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._listener = listener
        self._state = Snapshot(scenes=scenes)
        self._log: deque[Line] = deque(maxlen=LINES_KEPT)
        self._prices: dict[str, deque[float]] = {}
        self._ticks: Counter[str] = Counter()
        self._sagas: dict[str, SagaView] = {}
        self._marks: defaultdict[str, list[Moment]] = defaultdict(list)
        self._told: set[tuple[str, str, int]] = set()
        self._seen: set[FactSeen] = set()
        self._facts: list[FactSeen] = []
        self._decisions: list[Decided] = []
        self._lives: list[Ready] = []
        self._failure: DemoError | None = None

    # ---------------------------------------------------------------- written

    def apply(self, report: Report) -> None:
        """Take a report of the trading program."""
        with self._changed:
            match report:
                case Ready(pid=pid, live_sagas=live):
                    self._lives.append(report)
                    self._state = evolve(self._state, program="running", pid=pid)
                    found = f", goes on with {len(live)} saga(s) of its journals" if live else ""
                    self.say(Source.PROGRAM, f"trading program runs (pid {pid}){found}")
                case FactSeen():
                    self._take_fact(report)
                case TickSeen(instrument=instrument, price=price):
                    self._prices.setdefault(instrument, deque(maxlen=PRICES_KEPT)).append(float(price))
                    self._ticks[instrument] += 1
                    self._state = evolve(self._state, ticks=self._state.ticks + 1)
                case Decided():
                    self._take_decision(report)
                case ConnectionChanged(connected=connected, detail=detail):
                    self._state = evolve(self._state, connected=connected)
                    self.say(Source.PROGRAM, f"connection {'ready' if connected else 'lost'}: {detail}")
                case NoticeSeen(kind=kind, peer=peer, detail=detail):
                    self.say(Source.PROGRAM, f"{kind.replace('_', ' ')} {peer}: {detail}")
                case Refused(message=message):
                    self.say(Source.PROGRAM, f"trading program refuses to run: {message}")
            self._changed.notify_all()

    def say(self, source: Source, text: str, *, heading: bool = False) -> None:
        """Add a line."""
        self._add(Line(source=source, text=text, heading=heading))

    def open_scene(self, scene: SceneTitle) -> None:
        """Sagas that are new from here on belong to this scene."""
        with self._changed:
            self._state = evolve(self._state, scene=scene)
            self.say(Source.SCENE, scene.heading, heading=True)
            self.say(Source.SCENE, scene.story)

    def update_saga(self, records: SagaRecords) -> None:
        """Take what the journals say of a saga now; lines that are new are told once."""
        name = records.saga_id.hex
        with self._changed:
            known = self._sagas.get(name)
            scene = known.scene if known is not None else self._scene_number()
            moments = tuple(sorted((*timeline(records), *self._marks[name]), key=lambda moment: moment.offset_millis))
            self._sagas[name] = SagaView(scene=scene, records=records, moments=moments)
            for moment in moments:
                key = (name, moment.step, moment.sequence)
                if key not in self._told:
                    self._told.add(key)
                    self._add(Line(source=Source.SAGA, saga=name, moment=moment))
            self._changed.notify_all()

    def mark(self, event: str, detail: str, now_millis: int) -> None:
        """Note in the time line of every saga under way that something happened to the program (Unix milliseconds)."""
        with self._changed:
            for name, view in list(self._sagas.items()):
                if view.records.outcome is None:
                    marks = self._marks[name]
                    offset, number = now_millis - view.records.origin.started_at_millis, len(marks) + 1
                    moment = Moment(step="program", sequence=number, event=event, offset_millis=offset)
                    marks.append(evolve(moment, detail=detail, tone=Tone.DOUBT))
                    self.update_saga(view.records)

    def update_exchange(self, books: Books, stats: Stats) -> None:
        """Take a look at the exchange."""
        with self._changed:
            self._state = evolve(self._state, books=books, stats=stats)
            self._changed.notify_all()

    def program_starts(self, pid: int) -> None:
        """A new life of the program begins."""
        with self._changed:
            self._state = evolve(self._state, program="starting", pid=pid, connected=False)

    def program_ended(self, word: str, failure: DemoError | None) -> None:
        """The program is gone; with a failure, whoever waits hears it."""
        with self._changed:
            self._state = evolve(self._state, program=word, connected=False)
            if failure is not None:
                self.fail(failure)
            self._changed.notify_all()

    def fail(self, failure: DemoError) -> None:
        """The run cannot go on: whoever waits, now or later, hears it."""
        with self._changed:
            self._failure = failure
            self._changed.notify_all()

    # ---------------------------------------------------------------- read

    def snapshot(self) -> Snapshot:
        """Everything, as it is now."""
        with self._changed:
            return evolve(
                self._state,
                prices={name: tuple(prices) for name, prices in self._prices.items()},
                sagas=tuple(self._sagas.values()),
                log=tuple(self._log),
            )

    def ticks_of(self, instrument: str) -> int:
        """How many prices of an instrument the program has seen."""
        with self._changed:
            return self._ticks[instrument]

    def saga(self, name: str) -> SagaView | None:
        """What is known of one saga (hex)."""
        with self._changed:
            return self._sagas.get(name)

    def facts(self) -> tuple[FactSeen, ...]:
        """Every fact seen, repeats left out."""
        with self._changed:
            return tuple(self._facts)

    def decisions(self) -> tuple[Decided, ...]:
        """Every decision that let a saga begin."""
        with self._changed:
            return tuple(self._decisions)

    def lives(self) -> tuple[Ready, ...]:
        """Every start of the program."""
        with self._changed:
            return tuple(self._lives)

    def wait_for(self, what: str, look: Callable[["Board"], T | None], seconds: float) -> T:
        """Wait until `look` finds something.

        Raises:
            SceneFailed: it did not within `seconds`; `what` names it.
            DemoError: what was given to `fail`, since it never will.
        """
        with self._changed:
            found: T | None = None

            def looked() -> bool:
                nonlocal found
                found = look(self)
                return found is not None or self._failure is not None

            self._changed.wait_for(looked, seconds)
            if found is not None:
                return found
            if self._failure is not None:
                raise self._failure
            raise SceneFailed(f"waited {seconds:g} s in vain for {what}")

    def wait_until_failed(self, seconds: float) -> None:
        """Wait while all goes well, at most for `seconds`.

        Raises:
            DemoError: what was given to `fail`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._failure is not None, seconds)
            if self._failure is not None:
                raise self._failure

    # ---------------------------------------------------------------- inside

    def _take_fact(self, fact: FactSeen) -> None:
        if fact in self._seen:
            return
        self._seen.add(fact)
        self._facts.append(fact)
        where = f" {fact.step}" if fact.step else ""
        attempt = f" attempt {fact.attempt}" if fact.attempt else ""
        self._add(Line(source=Source.FACT, saga=fact.saga, text=f"{fact.event}{where}{attempt} {fact.detail}".rstrip()))

    def _take_decision(self, decision: Decided) -> None:
        told = f"{decision.side} {decision.instrument}, confidence {decision.confidence}"
        if decision.saga:
            self._decisions.append(decision)
            self.say(Source.SIGNAL, f"signal {told}: let through, {decision.detail}")
        elif decision.reason == "low_confidence":
            # The market's noise: many a second, so they are counted and not told.
            self._state = evolve(self._state, weak_signals=self._state.weak_signals + 1)
        else:
            self.say(Source.SIGNAL, f"signal {told}: {decision.reason.replace('_', ' ')}, {decision.detail}")

    def _scene_number(self) -> int:
        return self._state.scene.number if self._state.scene is not None else 0

    def _add(self, line: Line) -> None:
        with self._changed:
            self._log.append(line)
            self._listener(line)

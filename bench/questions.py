"""All sections by name, and how each is asked."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias, final

from attrs import evolve, frozen

from bench.answer import Answer
from bench.case import Case, interleaved
from bench.growing import Growth
from bench.growth import GROWTHS, GrowthSection, growth_answer, measured
from bench.peers.section import peers_section
from bench.processes import import_time, live_sagas
from bench.profiling import profile
from bench.report import Point, point_of_runs, point_of_size
from bench.sections import SECTIONS, Section

PEERS: Final = "peers"


@final
@frozen(kw_only=True)
class Settings:
    """What may be chosen."""

    told: Callable[[str], None]
    """Hears what is being measured."""
    rounds: int = 5
    sagas: int | None = None
    """At most so many in a run."""
    finished: int | None = None
    """The most finished sagas in the store."""
    waiting: int | None = None
    """The most waiting sagas."""
    live: int = 100_000
    directory: str | None = None

    def at_most(self, sagas: int) -> int:
        return sagas if self.sagas is None else min(sagas, self.sagas)


@final
@frozen(kw_only=True)
class Result:
    """What came of a question."""

    title: str
    answer: Answer
    points: tuple[Point, ...] = ()


Question: TypeAlias = Callable[[Settings], Result]


def _ask_cases(section: Section, settings: Settings) -> Result:
    cases: tuple[Case, ...] = tuple(evolve(case, sagas=settings.at_most(case.sagas)) for case in section.cases)
    runs = interleaved(cases, settings.rounds, settings.directory, settings.told)
    return Result(title=section.title, answer=section.answer(runs), points=tuple(map(point_of_runs, runs)))


def _ask_growth(section: GrowthSection, settings: Settings) -> Result:
    most = settings.finished if section.kind == "finished" else settings.waiting
    growth = Growth(
        kind=section.kind,
        sizes=section.sizes_up_to(section.most if most is None else most),
        windows=settings.rounds,
        sagas=settings.at_most(section.sagas),
        directory=settings.directory,
    )
    grown = measured(growth)
    points = tuple(point_of_size(at, growth.in_flight) for at in grown)
    return Result(title=section.title, answer=growth_answer(section, grown), points=points)


def _ask_import(settings: Settings) -> Result:
    return Result(title="Import", answer=import_time(settings.rounds, settings.told))


def _ask_live(settings: Settings) -> Result:
    return Result(
        title="Live sagas", answer=live_sagas(settings.at_most(settings.live), settings.directory, settings.told)
    )


def _ask_profile(settings: Settings) -> Result:
    return Result(
        title="Where the time goes", answer=profile(settings.at_most(20_000), settings.directory, settings.told)
    )


def _ask_peers(settings: Settings) -> Result:
    return _ask_cases(peers_section(), settings)


QUESTIONS: Final[Mapping[str, Question]] = {
    **{section.name: partial(_ask_cases, section) for section in SECTIONS},
    **{section.kind: partial(_ask_growth, section) for section in GROWTHS},
    "import": _ask_import,
    "live": _ask_live,
    "profile": _ask_profile,
    PEERS: _ask_peers,
}
USUAL: Final = tuple(name for name in QUESTIONS if name != PEERS)

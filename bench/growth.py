"""The questions about size: what a saga costs when many have finished, and when many wait."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Final, final

from attrs import asdict, frozen

from bench.answer import HEADER, Answer, Verdict, row
from bench.case import Medians
from bench.drive import measured_of
from bench.growing import Growth, Kind

_SECONDS: Final = 4 * 3_600


@final
@frozen(kw_only=True)
class GrowthSection:
    """One question about size."""

    kind: Kind
    title: str
    label: str
    sizes: tuple[int, ...]
    most: int
    """The largest size, unless another is asked for."""
    sagas: int = 500
    """Sagas of a window: few beside the sizes, for they finish and stay in the store."""

    def sizes_up_to(self, most: int) -> tuple[int, ...]:
        """The usual sizes below the largest one, and that."""
        return (*(size for size in self.sizes if size < most), most)


@final
@frozen(kw_only=True)
class Grown(Medians):
    """All windows at one size."""

    size: int


GROWTHS: Final = (
    GrowthSection(
        kind="finished",
        title="Finished sagas in the store",
        label="finished",
        sizes=(1_000, 10_000, 100_000, 1_000_000),
        most=100_000,
    ),
    GrowthSection(
        kind="waiting",
        title="Live sagas that wait beside",
        label="waiting",
        sizes=(10, 1_000, 10_000, 100_000),
        most=10_000,
    ),
)


def measured(growth: Growth) -> tuple[Grown, ...]:
    """Measure in a fresh process.

    Raises:
        subprocess.CalledProcessError: it failed; its own words are on the error stream.
    """
    command = [sys.executable, "-m", "bench.growing", json.dumps(asdict(growth))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=_SECONDS)
    return tuple(
        Grown(size=at["size"], runs=tuple(map(measured_of, at["windows"])))
        for at in json.loads(done.stdout.splitlines()[-1])
    )


def growth_answer(section: GrowthSection, grown: Sequence[Grown]) -> Answer:
    """A row for each size; the last is compared with the first."""
    first, last = grown[0], grown[-1]
    value = last.cpu_millis / first.cpu_millis
    what = f"processor time with {last.size:,} over that with {first.size:,}"
    return Answer(
        header=HEADER,
        rows=tuple(row(f"{at.size:,} {section.label}", at) for at in grown),
        verdicts=(Verdict(what=what, value=value, at_most=1.3),) if len(grown) > 1 else (),
    )

"""What a section answers: a table, and figures beside what they are meant to be."""

from typing import Final, TypeAlias, final

from attrs import frozen

from bench.case import Medians

Row: TypeAlias = tuple[str, ...]

HEADER: Final = ("", "sagas/s", "CPU ms a saga", "p50 ms", "p99 ms")


@final
@frozen(kw_only=True)
class Verdict:
    """A figure beside what it is meant to be: at least, or at most, `limit`."""

    what: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        enough = self.at_least is None or self.value >= self.at_least
        return enough and (self.at_most is None or self.value <= self.at_most)

    @property
    def limit(self) -> str:
        return f"at least {self.at_least:.4g}" if self.at_least is not None else f"at most {self.at_most:.4g}"

    def __str__(self) -> str:
        return f"{'yes' if self.holds else 'NO '}  {self.what}: {self.value:.2f} ({self.limit})"


@final
@frozen(kw_only=True)
class Answer:
    """A table, and the ratios that matter."""

    header: Row
    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know beside: what could not be measured."""


def row(label: str, medians: Medians) -> Row:
    """The cells of `HEADER`."""
    return (
        label,
        f"{medians.per_second:,.0f}",
        f"{medians.cpu_millis:.2f}",
        f"{medians.latency(0.5):.1f}",
        f"{medians.latency(0.99):.1f}",
    )

"""One process whose store grows, measured at several sizes: `python -m bench.growing '{"kind": "finished", ...}'`.

At each size some windows of the same number of sagas are measured; what they finish counts towards the next size. So a
million finished sagas cost the time it takes to finish a million, once.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias, final

from attrs import asdict, frozen

from bench.drive import Measured, drive
from bench.ours import growing

Kind: TypeAlias = Literal["finished", "waiting"]

_WARM_UP: Final = 50
_IN_FLIGHT_TO_GROW: Final = 512


@final
@frozen(kw_only=True)
class Growth:
    """What is to grow, and where it is measured."""

    kind: Kind
    sizes: tuple[int, ...]
    """Sagas in the store when the first window begins, in ascending order."""
    windows: int
    sagas: int
    """Sagas of a window."""
    in_flight: int = 64
    directory: str | None = None


@final
@frozen(kw_only=True)
class AtSize:
    """The windows at one size."""

    size: int
    windows: tuple[Measured, ...]


def grow(growth: Growth, directory: Path, told: Callable[[str], None]) -> Iterator[AtSize]:
    """Grow to each size, and measure there."""
    with growing(directory) as subject:
        number = 0
        waiting = 0

        def finish(sagas: int, in_flight: int) -> Measured:
            nonlocal number
            number += sagas
            return drive(subject.finish, sagas, in_flight, first=number - sagas)

        finish(min(_WARM_UP, growth.sizes[0]), growth.in_flight)
        for size in growth.sizes:
            told(f"growing to {size:,} {growth.kind} sagas")
            if growth.kind == "finished":
                finish(max(0, size - number), _IN_FLIGHT_TO_GROW)
            else:
                drive(subject.wait, size - waiting, _IN_FLIGHT_TO_GROW)
                waiting = size
            at = number if growth.kind == "finished" else waiting
            windows: list[Measured] = []
            for window in range(growth.windows):
                told(f"window {window + 1} of {growth.windows} at {size:,} {growth.kind} sagas")
                windows.append(finish(growth.sagas, growth.in_flight))
            yield AtSize(size=at, windows=tuple(windows))


def _told(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(argument: str) -> None:
    """Measure what is given as JSON."""
    values = json.loads(argument)
    growth = Growth(**{**values, "sizes": tuple(values["sizes"])})
    with tempfile.TemporaryDirectory(dir=growth.directory) as directory:
        print(json.dumps([asdict(at) for at in grow(growth, Path(directory), _told)]))


if __name__ == "__main__":
    main(sys.argv[1])

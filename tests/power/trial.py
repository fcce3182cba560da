"""A medium, the programs that ran on it one after another, and every disk that power loss may have left of them."""

import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import final

from attrs import define, field, frozen

from tests.power.disk_model import DiskRecorder
from tests.power.images import Effort, Image, cached_state, images
from tests.power.judging import Court, Finding, Judge
from tests.power.tracing import record


@final
@define
class Suspect:
    """One image, and the first and the last moment at which power loss may leave it."""

    image: Image
    first: int
    last: int


@final
@frozen(kw_only=True)
class Suspects:
    """The distinct images of one recording. `made`: how many there were before equal ones were taken out."""

    made: int
    distinct: Sequence[Suspect] = field(repr=False)

    def sample(self, most: int, chance: random.Random) -> Sequence[Suspect]:
        """At most so many of them."""
        return self.distinct if len(self.distinct) <= most else chance.sample(self.distinct, most)


@final
@frozen(kw_only=True)
class Counts:
    """What came of the images. `failures`: what must not happen, told in words."""

    made: int
    distinct: int
    torn: int
    kinds: Counter[str]
    failures: Sequence[str]

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        return (
            f"{self.made} images, {self.distinct} distinct, {self.torn} torn: {kinds}; failures = {len(self.failures)}"
        )


@final
class Trial:
    """`medium` stands for the disk; the program's acknowledgements go to `acks`, beside it."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.medium = place / "medium"
        self.medium.mkdir(parents=True)
        self.acks = place / "acks"
        self.recorder = DiskRecorder(self.medium, self.acks)

    def run(self, module: str, *arguments: str, inject: str | None = None) -> int:
        """Run a program, traced; how it ended. What is on the medium afterwards must be what the model says."""
        ended, calls = record(module, arguments, self._place / "log", inject=inject, exits=(0, -signal.SIGKILL))
        self.recorder.run(calls)
        modelled = cached_state(self.recorder).files
        real = {
            str(path.relative_to(self.medium)): None if path.is_dir() else path.read_bytes()
            for path in self.medium.rglob("*")
        }
        different = {path for path in modelled.keys() | real.keys() if modelled.get(path, b"?") != real.get(path, b"?")}
        # LMDB writes its readers' table through a map; it is made anew by the first process that opens the store.
        different = {path for path in different if not path.endswith("lock.mdb")}
        assert not different, f"the model and the medium differ: {different}"
        return ended

    def acknowledged(self, moment: int) -> Iterable[str]:
        """Everything the program had said by then."""
        return (ack.text for ack in self.recorder.acks if ack.begin <= moment)

    def suspects(self, effort: Effort, seed: int, *, every: int = 1) -> Suspects:
        """Every image (of each moment with a chance of one in `every`), equal ones once."""
        found: dict[bytes, Suspect] = {}
        made = 0
        for moment, image in images(self.recorder, effort, random.Random(seed), every=every):
            made += 1
            found.setdefault(image.digest(), Suspect(image, moment, moment)).last = moment
        return Suspects(made=made, distinct=list(found.values()))

    def judge(
        self,
        suspects: Sequence[Suspect],
        made: int,
        judge: Judge,
        verdict: Callable[[Finding, Suspect], tuple[str, str | None]],
    ) -> Counts:
        """Open every image. `verdict` names what a finding amounts to, and says why it is a failure if it is one."""
        kinds: Counter[str] = Counter()
        failures: list[str] = []
        with Court(judge) as court:
            for number, suspect in enumerate(suspects):
                path = self._place / f"image-{number}"
                suspect.image.write(path)
                kind, failure = verdict(court.judge(path), suspect)
                shutil.rmtree(path)
                kinds[kind] += 1
                if failure is not None:
                    failures.append(f"image {number} (moments {suspect.first} to {suspect.last}): {failure}")
        torn = sum(suspect.image.torn for suspect in suspects)
        return Counts(made=made, distinct=len(suspects), torn=torn, kinds=kinds, failures=failures)

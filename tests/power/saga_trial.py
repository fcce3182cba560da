"""A system through power loss: what had been promised or had happened when the power went, and what comes of it."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, final

from tests.power.judging import Crashed, Finding, Good, Refused
from tests.power.saga_work import SAGAS, Afterwards, Effect
from tests.power.trial import Suspect, Trial

WORK: Final = "tests.power.saga_work"
_ACTORS: Final = {"pack": "Packer", "fly": "Pilot", "stay": "Host"}
_UNDO: Final = "undo "


@final
class SagaTrial:
    """Runs the program once and knows what must hold on every image."""

    def __init__(self, place: Path, durability: str) -> None:
        self.trial = Trial(place)
        assert self.trial.run(WORK, str(self.trial.medium), str(self.trial.acks), durability) == 0

    def found(self, finding: Finding, suspect: Suspect) -> tuple[str, str | None]:
        """The journals alone: readable, and every effect that happened has a record that it was about to happen."""
        match finding:
            case Good(Afterwards() as afterwards):
                faults = _unannounced(self._effects(suspect), afterwards)
                return ("readable", None) if not faults else ("effect without a record", "; ".join(faults))
            case _:
                return _otherwise(finding)

    def resumed(self, finding: Finding, suspect: Suspect) -> tuple[str, str | None]:
        """The system: every started saga has its one outcome, and no effect came under a second key."""
        match finding:
            case Good(Afterwards() as afterwards):
                effects = self._effects(suspect)
                faults = [
                    *_unannounced(effects, afterwards),
                    *self._broken_promises(suspect, afterwards),
                    *_bad_effects([*effects, *afterwards.effects], afterwards),
                ]
                return (f"resumed {len(afterwards.outcomes)} saga(s)", "; ".join(faults) or None)
            case _:
                return _otherwise(finding)

    def _said(self, suspect: Suspect) -> Sequence[Sequence[str]]:
        return [json.loads(text) for text in self.trial.acknowledged(suspect.last)]

    def _effects(self, suspect: Suspect) -> list[Effect]:
        return [Effect(*words[1:]) for words in self._said(suspect) if words[0] == "effect"]

    def _broken_promises(self, suspect: Suspect, afterwards: Afterwards) -> list[str]:
        faults: list[str] = []
        for word, saga, *outcome in self._said(suspect):
            if word == "started" and saga not in afterwards.outcomes:
                faults.append(f"saga {saga} was started and is unknown")
            if word == "ended":
                if afterwards.outcomes.get(saga) not in outcome:
                    faults.append(f"saga {saga} had ended {outcome} and is {afterwards.outcomes.get(saga)}")
                again = [effect.what for effect in afterwards.effects if effect.saga == saga]
                if again:
                    faults.append(f"saga {saga} had ended and did {again} again")
        return faults


def _unannounced(effects: Sequence[Effect], afterwards: Afterwards) -> list[str]:
    faults: list[str] = []
    for effect in effects:
        step = effect.what.removeprefix(_UNDO)
        is_undo = effect.what.startswith(_UNDO)
        record = "CompensationExecutionStarted" if is_undo else "StepExecutionStarted"
        if record not in afterwards.records.get((_ACTORS[step], effect.saga), ()):
            faults.append(f"{effect.what!r} of saga {effect.saga} happened without a durable {record}")
    return faults


def _bad_effects(effects: Sequence[Effect], afterwards: Afterwards) -> list[str]:
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    order: dict[str, list[str]] = defaultdict(list)
    for effect in effects:
        keys[effect.saga, effect.what].add(effect.key)
        order[effect.saga].append(effect.what)
    faults = [f"{what} of saga {saga} has {len(found)} keys" for (saga, what), found in keys.items() if len(found) > 1]
    for saga, outcome in afterwards.outcomes.items():
        happened = order[saga]
        done = {what for what in happened if not what.startswith(_UNDO)}
        undone = {what.removeprefix(_UNDO) for what in happened if what.startswith(_UNDO)}
        if outcome != SAGAS[saga]:
            faults.append(f"saga {saga} is {outcome}")
        elif outcome == "SagaCompleted" and (done, undone) != (set(_ACTORS), set()):
            faults.append(f"saga {saga} completed, but: {happened}")
        elif outcome == "SagaFailed" and (done != undone or done != {"pack", "fly"}):
            faults.append(f"saga {saga} failed, but: {happened}")
    leaked = [saga for saga in order if saga not in afterwards.outcomes]
    return [*faults, *(f"saga {saga} is unknown, and did {order[saga]}" for saga in leaked)]


def _otherwise(finding: Finding) -> tuple[str, str | None]:
    match finding:
        case Refused(kind=kind, text=text):
            return f"refused as {kind}", text
        case Crashed(how):
            return "crashed", how
        case _:
            return "nonsense", f"the judge answered {finding!r}"

"""What a schedule starts with: plans, sagas to come, and who takes part."""

from collections.abc import Mapping
from random import Random
from typing import final
from uuid import UUID

from attrs import frozen

from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.types import PeerId, SagaId, SagaOrigin
from tests.simulation.clock import START_MILLIS
from tests.simulation.fate import Profile
from tests.simulation.initiator import Initiator
from tests.simulation.participant import Participant
from tests.simulation.ports import INITIATOR, Host
from tests.simulation.workflows import MOST_STEPS, random_plan, step_name


@final
@frozen(kw_only=True)
class Scene:
    """One initiator, a participant per step name, one to three sagas of one or two types."""

    origins: tuple[SagaOrigin, ...]
    initiator: Initiator
    participants: Mapping[str, Participant]
    nodes: Mapping[str, Initiator | Participant]


def draw_scene(rng: Random, seed: int, profile: Profile, host: Host) -> Scene:
    """The scene of one seed."""
    plans = [random_plan(rng, f"type{number}", profile) for number in range(rng.choice((1, 1, 2)))]
    origins = tuple(
        SagaOrigin(
            saga_id=SagaId(UUID(int=(seed << 16) + number)),
            initiator=PeerId(INITIATOR),
            started_at_millis=START_MILLIS,
            plan=rng.choice(plans),
        )
        for number in range(rng.choice((1, 1, 2, 3)))
    )
    names = [step_name(number) for number in range(MOST_STEPS) if any(plan.step(step_name(number)) for plan in plans)]
    participants: dict[str, Participant] = {}
    probes, cancels = rng.choice((0.1, 0.4, 0.8)), rng.choice((0.1, 0.4, 0.9))
    for name in names:
        spec = ParticipantSpec(step_name=name, has_probe=rng.random() < probes, has_cancel=rng.random() < cancels)
        participants[name] = Participant(spec, host)
    initiator = Initiator(host)
    return Scene(
        origins=origins,
        initiator=initiator,
        participants=participants,
        nodes={INITIATOR: initiator, **participants},
    )

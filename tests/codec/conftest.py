"""The shared plan table, one record of every kind, and the strategies as fixtures."""

from collections.abc import Sequence

import pytest
from hypothesis import strategies as st

from saga_choreography.codec import PlanTable
from saga_choreography.events import InitiatorEvent, ParticipantEvent
from saga_choreography.types import SagaId, SagaPlan
from tests.codec.strategies import INITIATOR_EVENTS, PARTICIPANT_EVENTS, PLANS, SAGA, SAMPLES, AnyEvent, PlansInMemory


@pytest.fixture(scope="session")
def plans() -> PlanTable:
    return PlansInMemory()


@pytest.fixture(scope="session")
def saga() -> SagaId:
    return SAGA


@pytest.fixture(scope="session")
def any_participant_event() -> st.SearchStrategy[ParticipantEvent]:
    return PARTICIPANT_EVENTS


@pytest.fixture(scope="session")
def any_initiator_event() -> st.SearchStrategy[InitiatorEvent]:
    return INITIATOR_EVENTS


@pytest.fixture(scope="session")
def any_plan() -> st.SearchStrategy[SagaPlan]:
    return PLANS


@pytest.fixture(scope="session")
def samples() -> Sequence[AnyEvent]:
    """One record of every kind, every field away from its default."""
    return SAMPLES

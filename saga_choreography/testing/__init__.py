"""For tests of programs that use sagas. See docs/testing.md."""

from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.testing.clock import ManualClock
from saga_choreography.testing.collector import NotSeen, SagaEventCollector, describe
from saga_choreography.testing.explore import Exploration, explore
from saga_choreography.testing.fault_settings import FaultSettingError
from saga_choreography.testing.faults import SYSTEM, FaultPoints
from saga_choreography.testing.holds import FaultInjected, Hold, HoldExpired, NotReached
from saga_choreography.testing.world import SagaTestWorld

__all__ = [
    "SYSTEM",
    "Exploration",
    "FaultInjected",
    "FaultPoint",
    "FaultPoints",
    "FaultSettingError",
    "Hold",
    "HoldExpired",
    "ManualClock",
    "NotReached",
    "NotSeen",
    "SagaEventCollector",
    "SagaTestWorld",
    "describe",
    "explore",
]

"""The model checker of a plan: pure, finite, without a run. `check_plan` says what it proves."""

from saga_choreography.protocol.model.checking import MOST_STEPS, check_plan
from saga_choreography.protocol.model.verdict import PlanFault, PlanVerdict, Property

__all__ = ["MOST_STEPS", "PlanFault", "PlanVerdict", "Property", "check_plan"]

"""What the core must know of a participant besides the plan: which optional hooks it has."""

from typing import final

from attrs import frozen


@final
@frozen(kw_only=True)
class ParticipantSpec:
    """The step a participant owns in one saga type, and its optional abilities."""

    step_name: str
    has_probe: bool = False
    has_cancel: bool = False
    is_observed: bool = True
    """Whether anybody hears of attempts; no actor acts on these events, so without observers they need not be made."""

"""Why something was refused, in a few words: a hostile value must not become a hostile message."""

from typing import Final

LONGEST_REASON: Final = 400


def reason_of(error: BaseException) -> str:
    """The message of an error, or its name when it has none; long ones are cut."""
    return shortened(str(error) or type(error).__name__)


def shortened(text: str) -> str:
    """At most `LONGEST_REASON` characters and three dots."""
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}..."

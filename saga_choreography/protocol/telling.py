"""Telling the fact that follows from the entry, live: the same fact that is told again after a restart."""

from saga_choreography.protocol.facts import fact_of
from saga_choreography.protocol.turn import Turn


def tell_fact(turn: Turn) -> None:
    """Publish what others wait for, if there is anything."""
    fact = fact_of(turn.entry)
    if fact is not None:
        turn.publish(fact)

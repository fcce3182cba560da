"""What a right refusal says."""

from typing import Final

from saga_choreography.errors import PayloadError, StoreError

LONGEST_MESSAGE: Final = 900


def must_name(error: PayloadError | StoreError, *words: str) -> None:
    """Fails unless the message holds all `words`, is short, and (of a store) says what to do."""
    message = str(error)
    assert all(word in message for word in words), f"{words} are not all in: {message}"
    assert len(message) < LONGEST_MESSAGE
    message.encode()  # can be printed and logged anywhere
    if isinstance(error, StoreError):
        assert error.remedy
        assert error.store in message

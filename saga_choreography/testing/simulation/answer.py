"""The answer to a request, which is looked at the moment it is given."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import final

from typing_extensions import override


@final
class Answer(Future[None]):
    """Calls `given` with the error (None: all went well). A plain future would swallow what a callback raises."""

    def __init__(self, given: Callable[[BaseException | None], None]) -> None:
        super().__init__()
        self._given = given

    @override
    def set_result(self, result: None) -> None:
        super().set_result(result)
        self._given(None)

    @override
    def set_exception(self, exception: BaseException | None) -> None:
        super().set_exception(exception)
        self._given(exception)

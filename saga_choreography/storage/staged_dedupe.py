"""What a dedupe store does, whatever it is stored in. A mark is a row; a transaction sees its own."""

from contextlib import AbstractContextManager

from saga_choreography.storage.layout import after_saga, mark_key, mark_value
from saga_choreography.storage.staging import StagedEnvironment
from saga_choreography.types import SagaId


class StagedDedupe:
    """The marks in one table of an environment."""

    def __init__(self, environment: StagedEnvironment, table: str) -> None:
        self._environment = environment
        self._table = table

    def transaction(self) -> AbstractContextManager[None]:
        """The transaction that marks are written in; a journal beside shares it."""
        return self._environment.transaction()

    def check_and_mark(self, saga_id: SagaId, key: str, at_millis: int) -> bool:
        """True when (saga_id, key) was not marked yet; it is now, once the open transaction commits.

        Raises:
            StoreMisused: no transaction is open.
        """
        stage = self._environment.open_stage()
        row = mark_key(saga_id.bytes, key)
        if self._environment.staged(self._table, row) is not None:
            return False
        stage.writes[self._table][row] = mark_value(at_millis)
        return True

    def seen(self, saga_id: SagaId, key: str) -> bool:
        """True when the mark of (saga_id, key) is committed. Any thread may call it."""
        return self._environment.value(self._table, mark_key(saga_id.bytes, key)) is not None

    def prune(self, saga_id: SagaId) -> None:
        """Forget all marks of one saga; alone or with the open transaction."""
        saga = saga_id.bytes
        with self._environment.transaction():
            marks = self._environment.open_stage().writes[self._table]
            for key in [key for key in marks if key.startswith(saga)]:
                marks[key] = None
            for key, _ in self._environment.rows(self._table, saga, after_saga(saga)):
                marks[key] = None

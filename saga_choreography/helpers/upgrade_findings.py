"""What a check of live sagas against today's code has found."""

from typing import final

from attrs import frozen

from saga_choreography.types import SagaId


@final
@frozen(kw_only=True)
class UpgradeFault:
    """Something that keeps one live saga from being resumed as it should. `store` is a directory."""

    store: str
    saga_id: SagaId
    saga_type: str | None
    """None: the records do not even say this much."""
    step_name: str | None
    """None: it is about the saga as a whole."""
    what: str
    """"plan", "records", "payload", "input", "output" or "undo data"."""
    why: str
    """With the path of the field, when a value cannot be read."""
    remedy: str

    def __str__(self) -> str:
        of_type = "" if self.saga_type is None else f" of type {self.saga_type!r}"
        at_step = "" if self.step_name is None else f", step {self.step_name!r}"
        return f"saga {self.saga_id}{of_type}{at_step}: {self.what}: {self.why}; {self.remedy} [{self.store}]"


@final
@frozen(kw_only=True)
class UpgradeNote:
    """A difference that keeps none of `sagas` live sagas from being resumed."""

    saga_type: str
    why: str
    sagas: int

    def __str__(self) -> str:
        return f"{self.sagas} live saga(s) of type {self.saga_type!r}: {self.why}"


@final
@frozen(kw_only=True)
class UpgradeReport:
    """How many stores, live sagas and stored values of them were looked at, and what was found."""

    stores: int
    sagas: int
    values: int
    faults: tuple[UpgradeFault, ...]
    notes: tuple[UpgradeNote, ...]

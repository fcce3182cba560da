"""The fault switches: armed by name, for a number of times and for the calls their filters name.

A switch without a method filter watches the methods that make sense for it (`WATCHES`). Standing switches
(`STANDING`) are a state that lasts until they are disarmed or cleared; their count does not matter.
"""

import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import final

from attrs import evolve, frozen


class FaultName(StrEnum):
    """What can go wrong on purpose."""

    DROP_BEFORE_APPLY = "drop_before_apply"
    APPLY_THEN_DROP = "apply_then_drop"
    DROP_THEN_APPLY = "drop_then_apply"
    DELAY_REPLY = "delay_reply"
    EVENT_BEFORE_REPLY = "event_before_reply"
    DUPLICATE_USER_ORDER_EVENT = "duplicate_user_order_event"
    LOSE_USER_ORDER_EVENT = "lose_user_order_event"
    PARTIAL_FILL = "partial_fill"
    FILL_BEFORE_CANCEL = "fill_before_cancel"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    REJECT_ORDER = "reject_order"
    RATE_LIMIT = "rate_limit_10028"
    SETTLEMENT = "settlement"
    HEARTBEAT_CLOSE = "heartbeat_close"
    RESET = "reset"
    SILENT_STALL = "silent_stall"
    EXPIRE_TOKENS = "expire_tokens"
    REFUSE_CONNECTIONS = "refuse_connections"
    CLOCK_OFFSET = "clock_offset"
    MAINTENANCE = "maintenance"
    HOLD_FILLS = "hold_fills"


class DropKind(StrEnum):
    """How a connection ends: RST, plain EOF, close 4000, close 1001, or not at all but silent."""

    RESET = "reset"
    EOF = "eof"
    HEARTBEAT_CLOSE = "heartbeat_close"
    CLOSE = "close"
    STALL = "stall"


PLACING = ("private/buy", "private/sell")
CANCELLING = ("private/cancel", "private/cancel_all", "private/cancel_by_label")
WATCHES: dict[FaultName, tuple[str, ...]] = {
    FaultName.FILL_BEFORE_CANCEL: CANCELLING,
    FaultName.SETTLEMENT: (*PLACING, *CANCELLING, "private/edit"),
    FaultName.RATE_LIMIT: ("private/*",),
    FaultName.HEARTBEAT_CLOSE: ("*",),
    FaultName.RESET: ("*",),
    FaultName.SILENT_STALL: ("*",),
    FaultName.EXPIRE_TOKENS: ("private/*",),
    FaultName.DUPLICATE_USER_ORDER_EVENT: ("*",),
    FaultName.LOSE_USER_ORDER_EVENT: ("*",),
    FaultName.REFUSE_CONNECTIONS: ("*",),
}
STANDING = frozenset({FaultName.CLOCK_OFFSET, FaultName.MAINTENANCE, FaultName.HOLD_FILLS})
DEFAULT_CODES = {FaultName.ERROR_BEFORE: 13028, FaultName.ERROR_AFTER: 13028, FaultName.REJECT_ORDER: 10009}


@frozen(kw_only=True)
class Fault:
    """One armed switch; `count` None is for ever. `method` is a name or a pattern such as `private/*`.

    `millis`: delay_reply, drop_then_apply, clock_offset. `fraction`: partial_fill, fill_before_cancel. `code`: the
    errors. `kind`: the drops. `disconnect`: rate_limit_10028. `http_status`: refuse_connections, maintenance.
    """

    name: FaultName
    count: int | None = 1
    method: str | None = None
    label_prefix: str | None = None
    instrument: str | None = None
    millis: int = 0
    fraction: Decimal | None = None
    code: int | None = None
    kind: DropKind = DropKind.RESET
    disconnect: bool = False
    http_status: int = 429
    fault_id: int = 0

    @property
    def error_code(self) -> int:
        """The code to answer with, or the usual one of this switch."""
        return self.code if self.code is not None else DEFAULT_CODES.get(self.name, 10001)

    def watches(self, occasion: "Occasion") -> bool:
        """Whether its filters admit this occasion."""
        patterns = (self.method,) if self.method is not None else WATCHES.get(self.name, PLACING)
        return (
            any(fnmatchcase(occasion.method, pattern) for pattern in patterns)
            and (self.label_prefix is None or occasion.label.startswith(self.label_prefix))
            and self.instrument in (None, occasion.instrument)
        )


@frozen(kw_only=True)
class Occasion:
    """A chance for a switch to fire: a request, or an event about an order."""

    method: str = ""
    label: str = ""
    instrument: str | None = None


@final
class FaultSwitches:
    """All armed switches, behind the lock of the exchange; `changed` runs under it after arming and clearing."""

    def __init__(self, lock: threading.Condition, changed: Callable[[], None]) -> None:
        self._lock = lock
        self._changed = changed
        self._armed: dict[int, Fault] = {}
        self._fired: Counter[str] = Counter()
        self._next_id = 0

    def arm(
        self,
        name: FaultName | str,
        *,
        count: int | None = 1,
        method: str | None = None,
        label_prefix: str | None = None,
        instrument: str | None = None,
        millis: int = 0,
        fraction: Decimal | float | None = None,
        code: int | None = None,
        kind: DropKind | str = DropKind.RESET,
        disconnect: bool = False,
        http_status: int = 429,
    ) -> int:
        """Arm a switch and return its id; raises ValueError on an unknown name, kind, or a part outside 0..1."""
        part = None if fraction is None else Decimal(str(fraction))
        if part is not None and not 0 <= part <= 1:
            raise ValueError(f"fraction {part} is not within 0..1")
        if count is not None and count < 1:
            raise ValueError(f"count {count} is not positive")
        with self._lock:
            self._next_id += 1
            self._armed[self._next_id] = Fault(
                name=FaultName(name),
                count=count,
                method=method,
                label_prefix=label_prefix,
                instrument=instrument,
                millis=millis,
                fraction=part,
                code=code,
                kind=DropKind(kind),
                disconnect=disconnect,
                http_status=http_status,
                fault_id=self._next_id,
            )
            self._changed()
            return self._next_id

    def disarm(self, fault_id: int) -> None:
        """Take one switch back; one that is used up or unknown is no error."""
        with self._lock:
            self._armed.pop(fault_id, None)
            self._changed()

    def clear(self) -> None:
        """Take all switches back, the standing ones too."""
        with self._lock:
            self._armed.clear()
            self._changed()

    def armed(self) -> tuple[Fault, ...]:
        """What is armed, oldest first."""
        with self._lock:
            return tuple(self._armed.values())

    def fired(self, name: FaultName | str) -> int:
        """How often switches of this name have fired."""
        with self._lock:
            return self._fired[FaultName(name)]

    def standing(self, name: FaultName) -> tuple[Fault, ...]:
        """The armed standing switches of one name."""
        with self._lock:
            return tuple(fault for fault in self._armed.values() if fault.name is name)

    def take(self, name: FaultName, occasion: Occasion) -> Fault | None:
        """The switch of this name that fires now, if any; its count goes down."""
        with self._lock:
            for fault in self._armed.values():
                if fault.name is name and fault.watches(occasion):
                    self._use(fault)
                    return fault
        return None

    def _use(self, fault: Fault) -> None:
        self._fired[fault.name] += 1
        if fault.count is None:
            return
        if fault.count == 1:
            del self._armed[fault.fault_id]
        else:
            self._armed[fault.fault_id] = evolve(fault, count=fault.count - 1)

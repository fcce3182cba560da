"""How each attempt goes: well or badly as saga, step and attempt say, the same in every process.

A step is refused in all of its attempts or in none: to refuse one that had its effect would be a lie.
"""

from hashlib import blake2b

from saga_choreography import (
    AmbiguousStepError,
    RetryableStepError,
    SafeToRetryCompensationError,
    SagaContext,
    SagaId,
    TerminalStepError,
)
from tests.crash.ledger_lines import Op
from tests.crash.outside import Outside, attempt_request
from tests.crash.tokens import Made

SLOW_MILLIS = 25


def fate(what: str, saga_id: SagaId, attempt: int = 0) -> int:
    """A number from 0 to 999 that decides how an attempt goes."""
    digest = blake2b(f"{what}/{saga_id.int}/{attempt}".encode(), digest_size=2).digest()
    return int.from_bytes(digest, "big") * 1000 >> 16


def is_refused(context: SagaContext) -> bool:
    """Whether the step of this saga is refused, whatever the attempt."""
    return fate(context.step_name, context.saga_id) < 35


def before_effect(context: SagaContext) -> int:
    """What may go wrong without an effect; returns the luck of the attempt.

    Raises:
        StepError, OSError: it did go wrong.
    """
    if is_refused(context):
        raise TerminalStepError("out of luck")
    luck = fate(context.step_name, context.saga_id, context.attempt)
    if luck < 50:
        raise RetryableStepError("not now")
    if luck < 75:
        raise AmbiguousStepError("done, or not? (not)")
    if luck < 100:
        raise OSError("this, before anything was done")
    return luck


def after_effect(luck: int) -> None:
    """What may go wrong although the effect is there.

    Raises:
        AmbiguousStepError, OSError: it did go wrong.
    """
    if luck < 130:
        raise AmbiguousStepError("done, or not? (done)")
    if luck < 160:
        raise OSError("done, and then this")


def act(outside: Outside, context: SagaContext) -> Made:
    """One attempt of a step: before the effect, after it, or not at all, it may go wrong; or it is slow."""
    luck = before_effect(context)
    outside.ask(attempt_request(Op.DO, context, hold=SLOW_MILLIS if luck > 960 else 0))
    after_effect(luck)
    return Made(context.step_name, context.idempotency_key)


def undo(outside: Outside, context: SagaContext, done_under: str) -> None:
    """One attempt of an undo; every undo comes right in the end."""
    luck = fate("undo " + context.step_name, context.saga_id, context.attempt)
    if luck < 100:
        raise SafeToRetryCompensationError("not now")
    outside.ask(attempt_request(Op.UNDO, context, of=done_under, hold=SLOW_MILLIS if luck > 970 else 0))
    if luck < 150:
        raise OSError("undone, and then this")

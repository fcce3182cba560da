"""The story of one saga, for whoever has to find out what went wrong."""

import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from attrs import fields

from deribit_example.demo.journals import SagaRecords
from saga_choreography import TimestampedEvent
from saga_choreography.events import InitiatorEvent, ParticipantEvent
from tests.deribit_soak.evidence import Evidence

_ID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
MOST_STORIES: Final = 5


def sagas_named(sentences: Iterable[str]) -> tuple[UUID, ...]:
    """The sagas that these sentences speak of, in their order."""
    return tuple(dict.fromkeys(UUID(found) for sentence in sentences for found in _ID.findall(sentence)))


def story(evidence: Evidence, saga_id: UUID) -> tuple[str, ...]:
    """Journals, ledger and notes of one saga, one line each."""
    lines = [f"saga {saga_id}"]
    lines.append(f"  acknowledged for: {evidence.acknowledged.get(saga_id, 'never')}")
    records = next((saga for saga in evidence.sagas if saga.saga_id == saga_id), None)
    lines += ["  the journals do not know it"] if records is None else _journals(records)
    for number, entry in enumerate(evidence.ledger, 1):
        for order in entry.orders:
            if saga_id.hex in order.label:
                lines.append(
                    f"  ledger {number}: {order.last_update_timestamp} order {order.order_id} {order.direction}"
                    f" {order.filled_amount} of {order.amount} {order.instrument_name} is {order.order_state}"
                    f" {order.cancel_reason} label {order.label}"
                )
    lines += [f"  told: {outcome.value}" for told, outcome in evidence.told if told == saga_id]
    return tuple(lines)


def stories(evidence: Evidence, sentences: Iterable[str]) -> tuple[str, ...]:
    """The stories behind the first few of these sentences."""
    return tuple(line for saga_id in sagas_named(sentences)[:MOST_STORIES] for line in story(evidence, saga_id))


def _journals(saga: SagaRecords) -> list[str]:
    told: list[tuple[int, str]] = [(record.at_millis, f"initiator {_described(record)}") for record in saga.initiator]
    for step, records in saga.steps.items():
        told += [(record.at_millis, f"{step} {_described(record)}") for record in records]
    return [f"  {at} {line}" for at, line in sorted(told, key=lambda each: each[0])]


def _described(record: TimestampedEvent[InitiatorEvent] | TimestampedEvent[ParticipantEvent]) -> str:
    event = record.event
    values = ((each.name, getattr(event, each.name)) for each in fields(type(event)) if each.name != "origin")
    readable = ", ".join(f"{name}={value}" for name, value in values if not isinstance(value, bytes))
    return f"{record.sequence}: {type(event).__name__}({readable})"

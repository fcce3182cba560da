"""The only place that turns values into bytes: cattrs and msgpack live here."""

from saga_choreography.codec.evolution import Upcaster, stored_as, versioned
from saga_choreography.codec.payloads import PayloadCodec, payload_codec, type_name
from saga_choreography.codec.plans import PlanTable, decode_plan, encode_plan
from saga_choreography.codec.records import (
    FORMAT_VERSION,
    INITIATOR_TAGS,
    PARTICIPANT_TAGS,
    RecordCodec,
    UnknownFormat,
    record_key,
)
from saga_choreography.codec.storable import storable_faults

__all__ = [
    "FORMAT_VERSION",
    "INITIATOR_TAGS",
    "PARTICIPANT_TAGS",
    "PayloadCodec",
    "PlanTable",
    "RecordCodec",
    "UnknownFormat",
    "Upcaster",
    "decode_plan",
    "encode_plan",
    "payload_codec",
    "record_key",
    "storable_faults",
    "stored_as",
    "type_name",
    "versioned",
]

"""The relay chain's `:code`: a version marker, since its runtime is part of the node and not data of the chain."""

from relaychain.runtime.runtime import relay_runtime
from substrate.errors import ChainError, DecodeError
from substrate.runtime.assembly import Runtime
from substrate.scale.types import Struct, u32, u64

NAME = "relayloom relay runtime"
SPEC_VERSION = 1_000


class RelayCode(Struct):
    """The marker: which runtime, and the constants that its genesis chose."""

    name: str
    spec_version: u32
    slot_duration_ms: u64
    epoch_slots: u64


def relay_code(slot_duration_ms: int, epoch_slots: int) -> bytes:
    """The `:code` of a relay chain with this slot duration and epoch length."""
    return RelayCode(NAME, SPEC_VERSION, slot_duration_ms, epoch_slots).encode()


def load_relay_runtime(code: bytes) -> type[Runtime]:
    """The runtime class that the marker names.

    Raises:
        ChainError: It is no marker, or of another version than this node has.
    """
    try:
        marker = RelayCode.decode(code)
    except DecodeError as failure:
        raise ChainError(f":code is not a relay runtime marker: {failure}") from failure
    if (marker.name, marker.spec_version) != (NAME, SPEC_VERSION):
        raise ChainError(f":code names {marker.name!r} {marker.spec_version}, this node runs {NAME!r} {SPEC_VERSION}")
    return relay_runtime(marker.slot_duration_ms, marker.epoch_slots)

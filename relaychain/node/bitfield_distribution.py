"""Bitfield distribution: signed bitfields to and from all validators, and those known for a relay parent.

Source: polkadot-sdk, `polkadot/node/network/bitfield-distribution/src/lib.rs`.
"""

from enum import StrEnum

from relaychain.node.active_leaves import ActiveLeaves, Leaf
from relaychain.node.held import HeldMessages, OversizedMessage, check_size
from relaychain.node.reports import Reports
from relaychain.node.scheduling import RelayParent
from relaychain.primitives.availability import SignedAvailabilityBitfield, bitfield_payload
from relaychain.primitives.types import ValidatorIndex
from substrate.client.protocols import Network
from substrate.crypto.keys import verify_ed25519
from substrate.errors import DecodeError, RuleError
from substrate.scale.types import Struct
from substrate.types import Hash

BITFIELD = "bitfield"


class BitfieldMessage(Struct):
    """A bitfield and the relay parent that it is bound to."""

    relay_parent: Hash
    bitfield: SignedAvailabilityBitfield


class BitfieldReason(StrEnum):
    """Why a bitfield is refused."""

    UNKNOWN_VALIDATOR = "ValidatorIndexOutOfBounds"
    WRONG_SIZE = "WrongBitfieldSize"
    BAD_SIGNATURE = "InvalidBitfieldSignature"


class BitfieldError(RuleError):
    """A bitfield breaks a rule."""


def check_bitfield(bitfield: SignedAvailabilityBitfield, parent: RelayParent) -> None:
    """Check a bitfield about a relay parent.

    Raises:
        BitfieldError: any reason.
    """
    index = bitfield.validator_index
    if index >= len(parent.validators):
        raise BitfieldError(BitfieldReason.UNKNOWN_VALIDATOR, validator=index)
    if len(bitfield.payload) != parent.n_cores:
        raise BitfieldError(BitfieldReason.WRONG_SIZE, bits=len(bitfield.payload), cores=parent.n_cores)
    payload = bitfield_payload(bitfield.payload, parent.context)
    if not verify_ed25519(bitfield.signature, payload, parent.validators[index]):
        raise BitfieldError(BitfieldReason.BAD_SIGNATURE, validator=index)


class BitfieldDistribution:
    """Bitfields of the relay parents in view; a validator's first one counts."""

    def __init__(self, leaves: ActiveLeaves, network: Network, reports: Reports) -> None:
        self._leaves = leaves
        self._network = network
        self._reports = reports
        self._known: dict[Hash, dict[ValidatorIndex, SignedAvailabilityBitfield]] = {}
        self._early = HeldMessages()

    def start(self) -> None:
        """Begin to listen."""
        self._network.on(BITFIELD, self._on_message)
        self._leaves.on_active(self._on_leaf)

    def known(self, relay_parent: Hash) -> tuple[SignedAvailabilityBitfield, ...]:
        """Bitfields about a relay parent, by validator."""
        known = self._known.get(relay_parent, {})
        return tuple(known[index] for index in sorted(known))

    def distribute(self, relay_parent: Hash, bitfield: SignedAvailabilityBitfield) -> None:
        """Keep the own bitfield and tell every peer."""
        self._known.setdefault(relay_parent, {})[bitfield.validator_index] = bitfield
        self._network.broadcast(BITFIELD, BitfieldMessage(relay_parent, bitfield).encode())

    def _on_leaf(self, leaf: Leaf) -> None:
        for old in [each for each in self._known if self._leaves.relay_parent(each) is None]:
            del self._known[old]
        for held in self._early.release(leaf.allowed, leaf.number):
            self._on_message(held.sender, held.payload)

    def _on_message(self, sender: str, payload: bytes) -> None:
        try:
            check_size(payload)
            message = BitfieldMessage.decode(payload)
            parent = self._leaves.relay_parent(message.relay_parent)
            if parent is None:
                if self._leaves.is_early(message.relay_parent):
                    self._early.hold(message.relay_parent, sender, payload)
                return
            known = self._known.setdefault(parent.hash, {})
            if message.bitfield.validator_index not in known:
                check_bitfield(message.bitfield, parent)
                known[message.bitfield.validator_index] = message.bitfield
        except (OversizedMessage, DecodeError, BitfieldError) as failure:
            self._reports.fault("BadBitfield", f"{sender}: {failure}")

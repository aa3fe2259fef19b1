"""Routers of a para: up to its relay chain, and across to its siblings.

Source: polkadot-sdk, `cumulus/primitives/utility/src/lib.rs` (`ParentAsUmp`), `cumulus/pallets/xcmp-queue/src/lib.rs`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from parachains.sdk.parachain_system import MessageSendError, ParachainSystem
from parachains.sdk.xcmp_pages import XcmpMessageFormat
from parachains.sdk.xcmp_queue import XcmpQueue, XcmpReason, XcmpSendError
from relaychain.primitives.messages import UpwardMessage
from relaychain.primitives.types import ParaId
from xcm.asset import Assets
from xcm.builder.pricing import ExponentialPrice
from xcm.instruction import Xcm
from xcm.junction import Parachain
from xcm.location import PARENT, Location
from xcm.outcome import SendError, SendFailure
from xcm.pallet import XcmPallet
from xcm.versions.versioned import encode_message, message_hash


@dataclass(frozen=True)
class Sending:
    """A message ready to go."""

    price: Assets
    send: Callable[[], bytes]

    def deliver(self) -> bytes:
        return self.send()


@dataclass(frozen=True)
class ParentAsUmp:
    """To the relay chain, as an upward message."""

    system: ParachainSystem
    pricing: ExponentialPrice

    def validate(self, dest: Location, message: Xcm) -> Sending:
        if dest != PARENT:
            raise SendFailure(SendError.NotApplicable, str(dest))
        price = self.pricing.price_for_delivery(message, self.system.upward_delivery_fee_factor.get())
        data = encode_message(self.system.pallet(XcmPallet).wrap_version(dest, message))
        return Sending(price, lambda: self._send(data))

    def _send(self, data: bytes) -> bytes:
        try:
            return self.system.send_upward_message(UpwardMessage(data))
        except MessageSendError as failure:
            raise SendFailure(SendError.ExceedsMaxMessageSize, str(failure)) from failure


@dataclass(frozen=True)
class SiblingAsXcmp:
    """To a sibling, on a page of our channel to it."""

    queue: XcmpQueue
    pricing: ExponentialPrice

    def validate(self, dest: Location, message: Xcm) -> Sending:
        first = dest.junctions[0] if len(dest.junctions) == 1 else None
        if dest.parents != 1 or not isinstance(first, Parachain):
            raise SendFailure(SendError.NotApplicable, str(dest))
        para = ParaId(first.id)
        price = self.pricing.price_for_delivery(message, self.queue.delivery_fee_factor[para])
        wrapped = self.queue.pallet(XcmPallet).wrap_version(dest, message)
        return Sending(price, lambda: self._send(para, encode_message(wrapped), message_hash(wrapped)))

    def _send(self, para: ParaId, data: bytes, digest: bytes) -> bytes:
        try:
            self.queue.send_fragment(para, XcmpMessageFormat.CONCATENATED_VERSIONED_XCM, data)
        except XcmpSendError as failure:
            too_big = str(failure.reason) == XcmpReason.TOO_BIG.value
            kind = SendError.ExceedsMaxMessageSize if too_big else SendError.Transport
            raise SendFailure(kind, str(failure)) from failure
        self.queue.deposit_event(self.queue.XcmpMessageSent(message_hash=digest))
        return digest

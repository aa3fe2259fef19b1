"""HRMP: what the pallet stores, tells and refuses.

Source: polkadot-sdk, `polkadot/runtime/parachains/src/hrmp.rs`.
"""

from relaychain.primitives.messages import HrmpChannelId, InboundHrmpMessage
from relaychain.primitives.types import ParaId
from relaychain.runtime.hrmp_rules import Digest, HrmpChannel, HrmpOpenChannelRequest
from substrate.runtime.hashers import Twox64Concat
from substrate.runtime.pallet import Error, Event, Pallet
from substrate.runtime.storage import StorageMap, StorageValue, storage_map, storage_value
from substrate.scale.types import u32
from substrate.types import BlockNumber

Channels = tuple[HrmpChannelId, ...]


class HrmpBase(Pallet):
    """Declarations; `Hrmp` works with them."""

    crate = "polkadot_runtime_parachains::hrmp"

    hrmp_open_channel_requests: StorageMap[HrmpChannelId, HrmpOpenChannelRequest] = storage_map(Twox64Concat)
    """Channels that were asked for."""
    hrmp_open_channel_requests_list: StorageValue[Channels] = storage_value(default=())
    """Keys of the requests."""
    hrmp_open_channel_request_count: StorageMap[ParaId, u32] = storage_map(Twox64Concat, default=0)
    """Requests that each para has made."""
    hrmp_accepted_channel_request_count: StorageMap[ParaId, u32] = storage_map(Twox64Concat, default=0)
    """Requests that each para has accepted, and that are not channels yet."""
    hrmp_close_channel_requests: StorageMap[HrmpChannelId, tuple[()]] = storage_map(Twox64Concat)
    """Channels that close with the session."""
    hrmp_close_channel_requests_list: StorageValue[Channels] = storage_value(default=())
    """Keys of the close requests."""
    hrmp_watermarks: StorageMap[ParaId, BlockNumber] = storage_map(Twox64Concat)
    """Block up to which each para has read its channels."""
    hrmp_channels: StorageMap[HrmpChannelId, HrmpChannel] = storage_map(Twox64Concat)
    """Open channels. Paras read them by state proof."""
    hrmp_ingress_channels_index: StorageMap[ParaId, tuple[ParaId, ...]] = storage_map(Twox64Concat, default=())
    """Senders to each para, ascending. Paras read it by state proof."""
    hrmp_egress_channels_index: StorageMap[ParaId, tuple[ParaId, ...]] = storage_map(Twox64Concat, default=())
    """Recipients of each para, ascending. Paras read it by state proof."""
    hrmp_channel_contents: StorageMap[HrmpChannelId, tuple[InboundHrmpMessage, ...]] = storage_map(
        Twox64Concat, default=()
    )
    """Messages waiting in each channel, oldest first."""
    hrmp_channel_digests: StorageMap[ParaId, Digest] = storage_map(Twox64Concat, default=())
    """Blocks in which each para was sent messages, ascending, with the senders."""

    class OpenChannelRequested(Event):
        """Open HRMP channel requested."""

        sender: ParaId
        recipient: ParaId
        proposed_max_capacity: u32
        proposed_max_message_size: u32

    class OpenChannelCanceled(Event):
        """An HRMP channel request sent by the receiver was canceled by either party."""

        by_parachain: ParaId
        channel_id: HrmpChannelId

    class OpenChannelAccepted(Event):
        """Open HRMP channel accepted."""

        sender: ParaId
        recipient: ParaId

    class ChannelClosed(Event):
        """HRMP channel closed."""

        by_parachain: ParaId
        channel_id: HrmpChannelId

    class HrmpChannelForceOpened(Event):
        """An HRMP channel was opened via Root origin."""

        sender: ParaId
        recipient: ParaId
        proposed_max_capacity: u32
        proposed_max_message_size: u32

    class OpenHrmpChannelToSelf(Error):
        """The sender tried to open a channel to themselves."""

    class OpenHrmpChannelInvalidRecipient(Error):
        """The recipient is not a valid para."""

    class OpenHrmpChannelZeroCapacity(Error):
        """The requested capacity is zero."""

    class OpenHrmpChannelCapacityExceedsLimit(Error):
        """The requested capacity exceeds the global limit."""

    class OpenHrmpChannelZeroMessageSize(Error):
        """The requested maximum message size is 0."""

    class OpenHrmpChannelMessageSizeExceedsLimit(Error):
        """The open request requested the message size that exceeds the global limit."""

    class OpenHrmpChannelAlreadyExists(Error):
        """The channel already exists."""

    class OpenHrmpChannelAlreadyRequested(Error):
        """There is already a request to open the same channel."""

    class OpenHrmpChannelLimitExceeded(Error):
        """The sender already has the maximum number of allowed outbound channels."""

    class AcceptHrmpChannelDoesntExist(Error):
        """The channel from the sender to the origin doesn't exist."""

    class AcceptHrmpChannelAlreadyConfirmed(Error):
        """The channel is already confirmed."""

    class AcceptHrmpChannelLimitExceeded(Error):
        """The recipient already has the maximum number of allowed inbound channels."""

    class CloseHrmpChannelUnauthorized(Error):
        """The origin tries to close a channel where it is neither the sender nor the recipient."""

    class CloseHrmpChannelDoesntExist(Error):
        """The channel to be closed doesn't exist."""

    class CloseHrmpChannelAlreadyUnderway(Error):
        """The channel close request is already requested."""

    class CancelHrmpOpenChannelUnauthorized(Error):
        """Canceling is requested by neither the sender nor recipient of the open channel request."""

    class OpenHrmpChannelDoesntExist(Error):
        """The open request doesn't exist."""

    class OpenHrmpChannelAlreadyConfirmed(Error):
        """Cannot cancel an HRMP open channel request because it is already confirmed."""

    class WrongWitness(Error):
        """The provided witness data is wrong."""

    class ChannelCreationNotAuthorized(Error):
        """The channel between these two chains cannot be authorized."""

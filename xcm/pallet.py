"""The XCM pallet: execute, send, transfer and claim; versions of other chains.

Source: polkadot-sdk, `polkadot/xcm/pallet-xcm/src/lib.rs`.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from substrate.crypto.hashing import blake2_256
from substrate.runtime.dispatch import BadOrigin, DispatchFailure, Module, ModuleErrorValue, PostInfo
from substrate.runtime.origin import AnyOrigin, Origin, RawRoot, RawSigned, Root
from substrate.runtime.pallet import call
from substrate.scale.codec import encode
from substrate.scale.types import naming, u32
from substrate.types import Weight
from xcm.asset import AllCounted, Assets, Wild
from xcm.error import XcmFailure
from xcm.executor.config import Context, FeeReason, XcmConfig
from xcm.executor.executor import Executor
from xcm.executor.passage import Unweighable
from xcm.instruction import XCM_VERSION, ClaimAsset, ClearOrigin, DepositAsset, DescendOrigin, Xcm
from xcm.junction import AccountId32, GeneralIndex
from xcm.location import HERE, Location, location
from xcm.outcome import Outcome, SendError, SendFailure, failure, weight_used
from xcm.pallet_base import MAX_ASSETS_FOR_TRANSFER
from xcm.pallet_seams import XcmPalletSeams
from xcm.transfers import Path, Programs, Transfer, TransferType, Trust
from xcm.versions.mirror import VersionError
from xcm.versions.versioned import (
    VersionedAssets,
    VersionedLocation,
    VersionedXcm,
    latest_assets,
    latest_location,
    latest_xcm,
    message_hash,
    version_of,
    versioned_location,
    versioned_xcm,
)
from xcm.weight import Unlimited, WeightLimit

T = TypeVar("T")
V = TypeVar("V")

SEND = Weight(150_000_000, 3_500)
EXECUTE = Weight(20_000_000, 1_500)
ADMIN = Weight(20_000_000, 1_500)
TRANSFER_INSTRUCTIONS = 2 * MAX_ASSETS_FOR_TRANSFER + 1
"""The most that a transfer executes here: each asset is taken and sent to its reserve, and `SetFeesMode`."""


def _local_weight(pallet: "XcmPallet", instruction_count: int) -> Weight:
    return SEND + pallet.machine.weigher.instruction_weight(ClearOrigin()) * instruction_count


def _transfer_weight(pallet: "XcmPallet", *_args: object) -> Weight:
    return _local_weight(pallet, TRANSFER_INSTRUCTIONS)


def _claim_weight(pallet: "XcmPallet", assets: VersionedAssets, _beneficiary: VersionedLocation) -> Weight:
    return _local_weight(pallet, 1 + len(assets.value))  # claimed at once, deposited each for itself


def _execute_weight(_pallet: "XcmPallet", _message: VersionedXcm, max_weight: Weight) -> Weight:
    return EXECUTE + max_weight


class XcmPallet(XcmPalletSeams):
    """The XCM pallet."""

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Set the safe version: `{"safe_xcm_version": 5}`."""
        self.safe_xcm_version.put(config.get("safe_xcm_version", XCM_VERSION))

    @cached_property
    def machine(self) -> XcmConfig:
        """The chain's policies."""
        return self.xcm_config(self.runtime)

    @cached_property
    def executor(self) -> Executor:
        """Executes messages over this runtime instance."""
        return Executor(self.machine, self.observer.note if self.observer else None)

    # --- calls ---

    @call(0, weight=SEND)
    def send(self, origin: AnyOrigin, dest: VersionedLocation, message: VersionedXcm) -> None:
        """Send a message, in the name of the caller."""
        sender = self.location_of(origin)
        target, program = self._latest(latest_location, dest), self._latest(latest_xcm, message)
        message_id = self.send_xcm(sender, target, program)
        self.deposit_event(self.Sent(sender, target, program, message_id))

    @call(1, weight=_transfer_weight)
    def teleport_assets(
        self,
        origin: AnyOrigin,
        dest: VersionedLocation,
        beneficiary: VersionedLocation,
        assets: VersionedAssets,
        fee_asset_item: u32,
    ) -> None:
        """Teleport assets."""
        self._teleport(origin, self._transfer(dest, beneficiary, Unlimited()), assets, fee_asset_item)

    @call(2, weight=_transfer_weight)
    def reserve_transfer_assets(
        self,
        origin: AnyOrigin,
        dest: VersionedLocation,
        beneficiary: VersionedLocation,
        assets: VersionedAssets,
        fee_asset_item: u32,
    ) -> None:
        """Transfer assets through their reserve."""
        self._reserve_transfer(origin, self._transfer(dest, beneficiary, Unlimited()), assets, fee_asset_item)

    @call(3, weight=_execute_weight)
    def execute(self, origin: AnyOrigin, message: VersionedXcm, max_weight: Weight) -> PostInfo:
        """Execute a program here; if it does not complete, all of it is undone."""
        who, program = self.location_of(origin), self._latest(latest_xcm, message)
        if not self.execute_filter(who, program):
            raise self.Filtered
        outcome = self.executor.execute(
            who, program, message_id=message_hash(message), weight_limit=max_weight, weight_credit=max_weight
        )
        self.deposit_event(self.Attempted(outcome))
        return self._check_complete(outcome)

    @call(4, weight=ADMIN)
    def force_xcm_version(self, origin: Root, location: Location, version: u32) -> None:
        """Note the version that a location supports."""
        self.supported_version[XCM_VERSION, versioned_location(location)] = version
        self.deposit_event(self.SupportedVersionChanged(location, version))

    @call(5, weight=ADMIN)
    def force_default_xcm_version(self, origin: Root, maybe_xcm_version: u32 | None) -> None:
        """Set the version for locations whose version is not known."""
        if maybe_xcm_version is None:
            self.safe_xcm_version.kill()
        else:
            self.safe_xcm_version.put(maybe_xcm_version)

    @call(8, weight=_transfer_weight)
    def limited_reserve_transfer_assets(
        self,
        origin: AnyOrigin,
        dest: VersionedLocation,
        beneficiary: VersionedLocation,
        assets: VersionedAssets,
        fee_asset_item: u32,
        weight_limit: WeightLimit,
    ) -> None:
        """Transfer assets through their reserve, with a limit on what execution there may use."""
        self._reserve_transfer(origin, self._transfer(dest, beneficiary, weight_limit), assets, fee_asset_item)

    @call(9, weight=_transfer_weight)
    def limited_teleport_assets(
        self,
        origin: AnyOrigin,
        dest: VersionedLocation,
        beneficiary: VersionedLocation,
        assets: VersionedAssets,
        fee_asset_item: u32,
        weight_limit: WeightLimit,
    ) -> None:
        """Teleport assets, with a limit on what execution there may use."""
        self._teleport(origin, self._transfer(dest, beneficiary, weight_limit), assets, fee_asset_item)

    @call(11, weight=_transfer_weight)
    def transfer_assets(
        self,
        origin: AnyOrigin,
        dest: VersionedLocation,
        beneficiary: VersionedLocation,
        assets: VersionedAssets,
        fee_asset_item: u32,
        weight_limit: WeightLimit,
    ) -> None:
        """Transfer assets the way that each of them moves."""
        who, items = self.location_of(origin), self._assets(assets)
        transfer = self._transfer(dest, beneficiary, weight_limit)
        fees, others = self.trust.transfer_types(items, fee_item=fee_asset_item, dest=transfer.dest)
        programs = transfer.programs(items, fee_item=fee_asset_item, fees=fees, others=others)
        if fees == others:
            self._leave(who, transfer.dest, items, fees)
        else:
            self._leave(who, transfer.dest, Assets((items[fee_asset_item],)), fees)
            rest = Assets((*items[:fee_asset_item], *items[fee_asset_item + 1 :]))
            self._leave(who, transfer.dest, rest, others)
        self._execute_transfer(who, transfer.dest, programs)

    @call(12, weight=_claim_weight)
    def claim_assets(self, origin: AnyOrigin, assets: VersionedAssets, beneficiary: VersionedLocation) -> None:
        """Claim trapped assets."""
        who, items = self.location_of(origin), self._latest(latest_assets, assets)
        ticket = location(0, GeneralIndex(version_of(assets)))
        deposit = DepositAsset(Wild(AllCounted(len(items))), self._latest(latest_location, beneficiary))
        self._check_complete(self._execute_local(who, Xcm((ClaimAsset(items, ticket), deposit))))

    # --- sending ---

    def send_xcm(self, sender: Location, dest: Location, message: Xcm) -> bytes:
        """Send a message in the name of an interior location, which pays for its delivery."""
        if sender != HERE:
            message = Xcm((DescendOrigin(sender.interior), *message))
        return self._send(sender, dest, message, waivable=True)

    def wrap_version(self, dest: Location, message: Xcm) -> VersionedXcm:
        """A message in the version that a destination understands.

        Raises:
            SendFailure: `DestinationUnsupported`.
        """
        version = self.supported_version.get(XCM_VERSION, versioned_location(dest)) or self.safe_xcm_version.get()
        if version is None:
            raise SendFailure(SendError.DestinationUnsupported, f"no version known of {dest}")
        try:
            return versioned_xcm(message, min(version, XCM_VERSION))
        except VersionError as cause:
            raise SendFailure(SendError.DestinationUnsupported, str(cause)) from cause

    def location_of(self, origin: Origin) -> Location:
        """The location of an account or of root; as upstream, a message has none here, whatever its origin.

        Raises:
            DispatchFailure: `BadOrigin`.
        """
        if isinstance(origin, RawSigned):
            return location(0, AccountId32(self.network, origin.who))
        if isinstance(origin, RawRoot):
            return HERE
        raise DispatchFailure(BadOrigin())

    def _send(self, sender: Location, dest: Location, message: Xcm, *, waivable: bool) -> bytes:
        try:
            ticket = self.machine.router.validate(dest, message)
            if not (self._is_waived(sender) if waivable else sender == HERE):
                self._charge_fees(sender, ticket.price)
            return ticket.deliver()
        except SendFailure as cause:
            raise self._send_error(cause) from cause

    def _send_error(self, cause: SendFailure) -> Exception:
        if cause.error is SendError.NotApplicable:
            return self.Unreachable(str(cause))
        return self.FeesNotMet(str(cause)) if cause.error is SendError.Fees else self.SendFailure(str(cause))

    def _is_waived(self, sender: Location) -> bool:
        return self.machine.fee_manager.is_waived(sender, FeeReason.CHARGE_FEES)

    def _charge_fees(self, sender: Location, price: Assets) -> None:
        """As upstream the event names the price, also where it is nothing or waived."""
        if not self._is_waived(sender):
            context = Context(sender, bytes(32))
            try:
                for asset in price:
                    self.machine.asset_transactor.withdraw_asset(asset, sender, context)
            except XcmFailure as cause:
                raise self.FeesNotMet(str(cause)) from cause
            self.machine.fee_manager.handle_fee(price, context, FeeReason.CHARGE_FEES)
        self.deposit_event(self.FeesPaid(sender, price))

    # --- transfers ---

    @property
    def trust(self) -> Trust:
        """Whom the chain trusts with which assets."""
        return Trust(self.machine.is_teleporter, self.machine.is_reserve)

    def _transfer(self, dest: VersionedLocation, beneficiary: VersionedLocation, limit: WeightLimit) -> Transfer:
        target, who = self._latest(latest_location, dest), self._latest(latest_location, beneficiary)
        return Transfer(target, who, limit, self.machine.universal_location)

    def _assets(self, versioned: VersionedAssets) -> Assets:
        items = self._latest(latest_assets, versioned)
        if len(items) > MAX_ASSETS_FOR_TRANSFER:
            raise self.TooManyAssets
        if not items:
            raise self.Empty
        return items

    def _reserve_transfer(self, origin: Origin, transfer: Transfer, versioned: VersionedAssets, fee_item: int) -> None:
        who, items = self.location_of(origin), self._assets(versioned)
        if not self.reserve_transfer_filter(who, items):
            raise self.Filtered
        fees, others = self.trust.transfer_types(items, fee_item=fee_item, dest=transfer.dest)
        if others is Path.TELEPORT:
            raise self.Filtered
        if fees != others:
            raise self.TooManyReserves
        programs = transfer.programs(items, fee_item=fee_item, fees=fees, others=others)
        self._execute_transfer(who, transfer.dest, programs)

    def _teleport(self, origin: Origin, transfer: Transfer, versioned: VersionedAssets, fee_item: int) -> None:
        who, items = self.location_of(origin), self._assets(versioned)
        if any(self.trust.transfer_type(asset, transfer.dest) is not Path.TELEPORT for asset in items):
            raise self.Filtered
        if fee_item >= len(items):
            raise self.Empty
        programs = transfer.programs(items, fee_item=fee_item, fees=Path.TELEPORT, others=Path.TELEPORT)
        self._leave(who, transfer.dest, items, Path.TELEPORT)
        self._execute_transfer(who, transfer.dest, programs)

    def _leave(self, who: Location, dest: Location, items: Assets, kind: TransferType) -> None:
        """Ask the filter, and account for what is teleported away."""
        allowed = self.teleport_filter if kind is Path.TELEPORT else self.reserve_transfer_filter
        if not allowed(who, items):
            raise self.Filtered
        if kind is not Path.TELEPORT:
            return
        transactor, context = self.machine.asset_transactor, Context(None, bytes(32))
        try:
            for asset in items:
                transactor.can_check_out(asset, dest, context)
            for asset in items:
                transactor.check_out(asset, dest, context)
        except XcmFailure as cause:
            raise self.CannotCheckOutTeleport(str(cause)) from cause

    def _execute_transfer(self, who: Location, dest: Location, programs: Programs) -> None:
        outcome = self._execute_local(who, programs.local)
        self.deposit_event(self.Attempted(outcome))
        self._check_complete(outcome)
        if programs.remote is not None:
            message_id = self._send(who, dest, programs.remote, waivable=False)
            self.deposit_event(self.Sent(who, dest, programs.remote, message_id))

    def _execute_local(self, who: Location, program: Xcm) -> Outcome:
        try:
            weight = self.machine.weigher.weight(program)
        except Unweighable as cause:
            raise self.UnweighableMessage(str(cause)) from cause
        name = blake2_256(encode(Xcm, program))
        return self.executor.execute(who, program, message_id=name, weight_limit=weight, weight_credit=weight)

    def _check_complete(self, outcome: Outcome) -> PostInfo:
        """What an execution that completed used; any other fails the call, and all of it is undone."""
        info, wrong = PostInfo(EXECUTE + weight_used(outcome)), failure(outcome)
        if wrong is None:
            return info
        kind = self.LocalExecutionIncompleteWithError
        code = bytes([kind.index, wrong.index, naming(type(wrong.error)).index or 0, 0])
        index = self.runtime.assembly().pallet_of_error(kind)
        raise DispatchFailure(Module(ModuleErrorValue(index, code)), info)

    def _latest(self, convert: Callable[[V], T], value: V) -> T:
        try:
            return convert(value)
        except VersionError as cause:
            raise self.BadVersion(str(cause)) from cause

"""The executive: blocks in, states out.

Source: polkadot-sdk, `substrate/frame/executive/src/lib.rs`.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum

from substrate.block import Block, Digest, DigestItem, Header, PreRuntime, Seal, header_hash
from substrate.errors import ChainError, RuleError
from substrate.pallets.system import System
from substrate.pallets.system_types import EventRecord
from substrate.pallets.transaction_payment import TransactionPayment
from substrate.runtime import room
from substrate.runtime.assembly import Runtime
from substrate.runtime.checks import check_nonce, check_signature, decode_checked
from substrate.runtime.dispatch import DispatchClass, DispatchFailure, DispatchInfo, DispatchResult, Pays, PostInfo
from substrate.runtime.extrinsic import Extrinsic, encode_bare, encoded_length
from substrate.runtime.observer import Observer
from substrate.runtime.origin import Origin, RawNone, RawSigned
from substrate.runtime.outer_enums import RuntimeCall
from substrate.runtime.panics import NO_PANIC, described, said
from substrate.runtime.stack import stack_room
from substrate.runtime.validity import BadMandatory, Call, NoUnsignedValidator, TransactionInvalid
from substrate.scale.types import Struct
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import BlockNumber, Hash, Weight


class BlockReason(StrEnum):
    """Why a block does not execute."""

    INVALID_TRANSACTION = "InvalidTransaction"
    INHERENT_ORDER = "InherentAfterTransaction"
    INHERENT_MISSING = "InherentMissing"
    STATE_ROOT = "BadStateRoot"
    EXTRINSICS_ROOT = "BadExtrinsicsRoot"
    DIGEST = "BadDigest"
    PARENT = "BadParent"
    PANIC = "RuntimePanic"


class BlockError(RuleError):
    """A block broke a rule of execution."""


class Executed(Struct):
    """What executing a block yields."""

    header: Header
    """As computed: without the seal."""
    state: Trie
    events: tuple[EventRecord, ...]
    results: tuple[DispatchResult, ...]
    """One per extrinsic."""


@stack_room()
def initialize_block(runtime: Runtime, header: Header) -> None:
    """Open a block: note its parent and pre-runtime digests, run `on_initialize`."""
    logs = tuple(item for item in header.digest.logs if isinstance(item, PreRuntime))
    system = runtime.pallet(System)
    system.initialize(header.number, header.parent_hash, Digest(logs))
    used = Weight.ZERO
    for pallet in runtime.pallets():
        used += pallet.on_initialize(header.number)
    system.register_extra_weight(used, DispatchClass.Mandatory)
    system.note_finished_initialize()


@stack_room()
def apply_extrinsic(runtime: Runtime, raw: bytes) -> DispatchResult:
    """Apply one extrinsic.

    Args:
        runtime: The runtime in an open block.
        raw: The extrinsic without its length prefix.

    Raises:
        TransactionInvalid: It may not be in this block; the caller drops what it wrote.
    """
    extrinsic = decode_checked(type(runtime), raw)
    info = runtime.dispatch_info(extrinsic.call)
    if extrinsic.signed is None:
        return _apply_bare(runtime, raw, extrinsic, info)
    who = check_signature(runtime, extrinsic)
    extra = extrinsic.signed.extra
    check_nonce(runtime, who, extra.nonce, in_block=True)
    system, payment, length = runtime.pallet(System), runtime.pallet(TransactionPayment), encoded_length(raw)
    system.note_extrinsic(raw)
    room.take(system, info, length)
    system.inc_account_nonce(who)
    paid = payment.withdraw_fee(who, info, length, extra.tip)
    result = _dispatch(runtime, extrinsic.call, RawSigned(who), info)
    room.give_back(system, info, result.info.weight)
    payment.correct_and_deposit_fee(paid, info, result.info, length)
    system.note_applied_extrinsic(result.error is None, result.error, result.info)
    return result


def _apply_bare(runtime: Runtime, raw: bytes, extrinsic: Extrinsic, info: DispatchInfo) -> DispatchResult:
    entry, value = runtime.assembly().resolve(extrinsic.call)
    if info.class_ != DispatchClass.Mandatory and not getattr(runtime, entry.attribute).validate_unsigned(value):
        raise TransactionInvalid(NoUnsignedValidator(), f"{entry.attribute}.{entry.method} must be signed")
    system = runtime.pallet(System)
    system.note_extrinsic(raw)
    room.take(system, info, encoded_length(raw))
    result = _dispatch(runtime, extrinsic.call, RawNone(), info)
    room.give_back(system, info, result.info.weight)
    system.note_applied_extrinsic(result.error is None, result.error, result.info)
    return result


def _dispatch(runtime: Runtime, call: RuntimeCall, origin: Origin, info: DispatchInfo) -> DispatchResult:
    try:
        post, error, detail = runtime.dispatch(call, origin), None, ""
    except DispatchFailure as failure:
        cause = failure if failure.__cause__ is None else failure.__cause__
        post, error, detail = failure.info or PostInfo(), failure.error, said(cause)
        if info.class_ == DispatchClass.Mandatory:  # signed ones too: they pay no regard to the block's limits
            raise TransactionInvalid(BadMandatory(), f"a mandatory call failed: {detail}") from failure
    weight = info.weight if post.actual_weight is None else post.actual_weight
    if weight.any_gt(info.weight):  # a call may not cost more than it said
        weight = info.weight
    pays = Pays.No if Pays.No in (info.pays_fee, post.pays_fee) else Pays.Yes
    return DispatchResult(error, DispatchInfo(weight, info.class_, pays), detail)


@stack_room()
def finalize_block(runtime: Runtime) -> Header:
    """Close a block: `on_idle` with what weight is left, `on_finalize`, then the header."""
    system = runtime.pallet(System)
    system.note_finished_extrinsics()
    number = runtime.block_number()
    pallets = runtime.pallets()
    remaining = room.remaining(system)
    for pallet in pallets:
        used = pallet.on_idle(number, remaining)
        remaining -= used
        system.register_extra_weight(used, DispatchClass.Mandatory)
    for pallet in pallets:
        pallet.on_finalize(number)
    return system.finalize()


def execute_block(kind: type[Runtime], parent: Trie, block: Block, observer: Observer | None = None) -> Executed:
    """Execute a block on its parent's state and check what its header claims.

    Raises:
        BlockError: Any `BlockReason`.
        ChainError: A hook refused the block.
    """
    with _panics_refused():
        return _execute(kind(Overlay(parent), observer), block)


@contextmanager
def _panics_refused() -> Generator[None]:
    try:
        yield
    except (ChainError, *NO_PANIC):  # a hook may refuse its block on purpose
        raise
    except BaseException as failure:
        raise BlockError(BlockReason.PANIC, cause=described(failure)) from failure


def _execute(runtime: Runtime, block: Block) -> Executed:
    number = runtime.block_number() + 1
    if block.header.number != number:
        raise BlockError(BlockReason.PARENT, number=block.header.number, expected=number)
    initialize_block(runtime, block.header)
    results: list[DispatchResult] = []
    inherents = 0
    for raw in block.extrinsics:
        results.append(_apply_in_block(runtime, raw))
        if results[-1].info.class_ == DispatchClass.Mandatory:
            inherents += 1
            if inherents < len(results):
                raise BlockError(BlockReason.INHERENT_ORDER, index=len(results) - 1)
    for pallet in runtime.pallets():
        if pallet.inherent_required():
            raise BlockError(BlockReason.INHERENT_MISSING, pallet=pallet.mount_name)
    header = finalize_block(runtime)
    _compare(header, block.header)
    return Executed(header, runtime.state.finish(), runtime.pallet(System).block_events(), tuple(results))


def _apply_in_block(runtime: Runtime, raw: bytes) -> DispatchResult:
    try:
        return apply_extrinsic(runtime, raw)
    except TransactionInvalid as failure:
        raise BlockError(BlockReason.INVALID_TRANSACTION, cause=str(failure)) from failure


def _compare(computed: Header, claimed: Header) -> None:
    if computed.extrinsics_root != claimed.extrinsics_root:
        raise _mismatch(BlockReason.EXTRINSICS_ROOT, computed.extrinsics_root, claimed.extrinsics_root)
    if computed.digest != unsealed(claimed).digest:
        raise BlockError(BlockReason.DIGEST, computed=len(computed.digest.logs), claimed=len(claimed.digest.logs))
    if computed.state_root != claimed.state_root:
        raise _mismatch(BlockReason.STATE_ROOT, computed.state_root, claimed.state_root)


def _mismatch(reason: BlockReason, computed: Hash, claimed: Hash) -> BlockError:
    return BlockError(reason, computed=f"0x{computed.hex()}", claimed=f"0x{claimed.hex()}")


def unsealed(header: Header) -> Header:
    """The header without its seals: what was sealed, and what execution yields."""
    logs = tuple(item for item in header.digest.logs if not isinstance(item, Seal))
    return Header(header.parent_hash, header.number, header.state_root, header.extrinsics_root, Digest(logs))


class Built(Struct):
    """A block as its author built it, not yet sealed."""

    block: Block
    executed: Executed


class BlockBuilder:
    """Builds one block on a parent: inherents first, then transactions, then `build`."""

    def __init__(
        self,
        kind: type[Runtime],
        parent_state: Trie,
        parent: Header,
        digest: Sequence[DigestItem],
        observer: Observer | None = None,
    ) -> None:
        zero = Hash(bytes(32))
        header = Header(header_hash(parent), BlockNumber(parent.number + 1), zero, zero, Digest(tuple(digest)))
        self._overlay = Overlay(parent_state)
        self.runtime = kind(self._overlay, observer)
        self._extrinsics: list[bytes] = []
        self._results: list[DispatchResult] = []
        with _panics_refused():
            initialize_block(self.runtime, header)

    def inherents(self, data: Mapping[bytes, bytes]) -> None:
        """Put in the inherents that the pallets make of this data.

        Raises:
            TransactionInvalid: An inherent failed.
            BlockError: `PANIC`, in the making of one.
        """
        for pallet in self.runtime.pallets():
            with _panics_refused():
                call = pallet.inherent(data)
            if call is not None:
                assert isinstance(call, RuntimeCall), f"{pallet.mount_name}.inherent must return a RuntimeCall"
                self.push(encode_bare(self.runtime.encode_call(call)))

    def push(self, raw: bytes) -> DispatchResult:
        """Apply an extrinsic and put it into the block.

        Raises:
            TransactionInvalid: It does not belong into this block, which stays as it was.
        """
        try:
            with self._overlay.transaction():
                result = apply_extrinsic(self.runtime, raw)
        except (TransactionInvalid, *NO_PANIC):
            raise
        except BaseException as failure:
            raise TransactionInvalid(Call(), f"the runtime panicked: {described(failure)}") from failure
        self._extrinsics.append(raw)
        self._results.append(result)
        return result

    def build(self) -> Built:
        """Close the block.

        Raises:
            BlockError: `PANIC`, in a hook.
        """
        with _panics_refused():
            header = finalize_block(self.runtime)
        block = Block(header, tuple(self._extrinsics))
        events = self.runtime.pallet(System).block_events()
        return Built(block, Executed(header, self._overlay.finish(), events, tuple(self._results)))

"""What the signed extensions check before a transaction may run.

Source: polkadot-sdk, `substrate/frame/system/src/extensions/`, `substrate/frame/transaction-payment/src/lib.rs`.
"""

from typing import TYPE_CHECKING

from substrate.block import Digest
from substrate.crypto.multi import Id, verify_multi
from substrate.errors import DecodeError
from substrate.pallets.system import System
from substrate.pallets.transaction_payment import TransactionPayment
from substrate.runtime.dispatch import DispatchClass
from substrate.runtime.extrinsic import Extrinsic, SignedPart, Signing, decode_extrinsic, encoded_length, signed_payload
from substrate.runtime.panics import NO_PANIC, described
from substrate.runtime.room import check_extrinsic
from substrate.runtime.validity import (
    AncientBirthBlock,
    BadProof,
    BadSigner,
    Call,
    Future,
    MandatoryValidation,
    NoUnsignedValidator,
    Payment,
    Stale,
    TransactionInvalid,
    TransactionSource,
    UnknownCannotLookup,
    ValidTransaction,
)
from substrate.scale.codec import codec_of
from substrate.types import AccountId, BlockNumber, Hash, Nonce

if TYPE_CHECKING:
    from substrate.runtime.assembly import Runtime

_PROVIDES = codec_of(tuple[AccountId, Nonce])
_FOREVER = 2**64 - 1


def decode_checked(runtime: type["Runtime"], raw: bytes) -> Extrinsic:
    """Decode, turning a malformed extrinsic into `Call`, as upstream's pool does."""
    try:
        return decode_extrinsic(runtime, raw)
    except DecodeError as failure:
        raise TransactionInvalid(Call(), str(failure)) from failure


def signer_of(part: SignedPart) -> AccountId:
    """The account that an address names."""
    if not isinstance(part.address, Id):
        raise TransactionInvalid(UnknownCannotLookup(), "only MultiAddress::Id addresses are looked up")
    return part.address.account


def check_signature(runtime: "Runtime", extrinsic: Extrinsic) -> AccountId:
    """Verify the signature over call, extra and the chain's own part; returns the signer."""
    part = extrinsic.signed
    assert part is not None, "only signed extrinsics carry a signature"
    if part.extra.metadata_mode:
        raise TransactionInvalid(UnknownCannotLookup(), "CheckMetadataHash is disabled here: sign with mode 0")
    who = signer_of(part)
    version = runtime.version
    signing = Signing(version.spec_version, version.transaction_version, _block_hash(runtime, 0), _birth(runtime, part))
    if not verify_multi(part.signature, signed_payload(extrinsic.call_bytes, part.extra, signing), who):
        raise TransactionInvalid(BadProof(), "the signature does not cover this call, nonce, era, chain and version")
    if who == bytes(32):
        raise TransactionInvalid(BadSigner(), "the zero account cannot sign")
    return who


def _block_hash(runtime: "Runtime", number: int) -> Hash:
    return runtime.pallet(System).block_hash[BlockNumber(number)]


def _birth(runtime: "Runtime", part: SignedPart) -> Hash:
    era = part.extra.era
    number = runtime.block_number()
    known = runtime.pallet(System).block_hash.get(BlockNumber(era.birth(number)))
    if known is None or known == bytes(32):
        raise TransactionInvalid(AncientBirthBlock(), f"block {era.birth(number)} is no longer known")
    return known


def check_nonce(runtime: "Runtime", who: AccountId, nonce: int, *, in_block: bool) -> int:
    """Compare with the account's nonce, which is returned; a future nonce is only allowed in the pool."""
    account = runtime.pallet(System).account[who]
    if not account.providers and not account.sufficients:
        raise TransactionInvalid(Payment(), "the account does not exist")
    if nonce < account.nonce:
        raise TransactionInvalid(Stale(), f"nonce {nonce} is used up, the account is at {account.nonce}")
    if nonce > account.nonce and in_block:
        raise TransactionInvalid(Future(), f"nonce {nonce} is not due, the account is at {account.nonce}")
    return int(account.nonce)


def validate_transaction(runtime: "Runtime", raw: bytes, source: TransactionSource, parent: Hash) -> ValidTransaction:
    """What a pool must know of a transaction, judged as in the next block.

    Args:
        runtime: Over the state after `parent`; that state is left as it was.
        raw: The extrinsic without its length prefix.
        source: Where it came from.
        parent: Hash of the block on which it would be built.

    Raises:
        TransactionInvalid: It can never, or cannot now, enter a block on top of this state.
    """
    runtime.state.begin()
    try:
        runtime.pallet(System).initialize(BlockNumber(runtime.block_number() + 1), parent, Digest())
        return _validate(runtime, raw, source)
    except (TransactionInvalid, *NO_PANIC):
        raise
    except BaseException as failure:
        raise TransactionInvalid(Call(), f"the runtime panicked: {described(failure)}") from failure
    finally:
        runtime.state.rollback()


def _validate(runtime: "Runtime", raw: bytes, source: TransactionSource) -> ValidTransaction:
    extrinsic = decode_checked(type(runtime), raw)
    info = runtime.dispatch_info(extrinsic.call)
    if info.class_ == DispatchClass.Mandatory:
        raise TransactionInvalid(MandatoryValidation(), "inherents are made by block authors, not submitted")
    if extrinsic.signed is None:
        check_extrinsic(runtime.pallet(System), info, encoded_length(raw))
        return _validate_bare(runtime, extrinsic, source)
    who = check_signature(runtime, extrinsic)
    extra = extrinsic.signed.extra
    expected = check_nonce(runtime, who, extra.nonce, in_block=False)
    check_extrinsic(runtime.pallet(System), info, encoded_length(raw))
    payment = runtime.pallet(TransactionPayment)
    payment.withdraw_fee(who, info, encoded_length(raw), extra.tip)
    requires = (_PROVIDES.encode((who, Nonce(extra.nonce - 1))),) if extra.nonce > expected else ()
    death = extra.era.death(runtime.block_number())
    longevity = _FOREVER if death is None else death - runtime.block_number()
    priority = payment.priority(info, encoded_length(raw), extra.tip)
    provides = (_PROVIDES.encode((who, extra.nonce)),)
    return ValidTransaction(priority, requires, provides, longevity, propagate=True)


def _validate_bare(runtime: "Runtime", extrinsic: Extrinsic, source: TransactionSource) -> ValidTransaction:
    entry, value = runtime.assembly().resolve(extrinsic.call)
    if not getattr(runtime, entry.attribute).validate_unsigned(value):
        raise TransactionInvalid(NoUnsignedValidator(), f"{entry.attribute}.{entry.method} must be signed")
    return ValidTransaction(1 << 20, (), (extrinsic.call_bytes,), 64, source != TransactionSource.Local)

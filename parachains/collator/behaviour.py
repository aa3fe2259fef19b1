"""Collators that cheat, for tests: each turns an honest block into a candidate that validators refuse.

A behaviour is given to a collator in Python (`node.collator.behaviour = Mint(...)`); a network file cannot ask for one.
What it makes goes to validators only: neither the liar's own chain nor the execution cache that nodes share sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from parachains.sdk.block_data import CompactProof, ParachainBlockData
from parachains.sdk.build_block import BuiltBlock
from parachains.sdk.contract import Collated, CollationContext
from parachains.sdk.parachain_inherent import ParachainInherentData
from parachains.sdk.parachain_system import ParachainSystem
from relaychain.primitives.types import HeadData
from relaychain.primitives.validation import ValidationResult
from substrate.block import Block, Header, extrinsics_root, without_seal
from substrate.consensus.aura.verification import seal_header
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import ChainError
from substrate.pallets.balances import Balances
from substrate.runtime.assembly import Runtime
from substrate.runtime.checks import decode_checked
from substrate.runtime.extrinsic import encode_bare
from substrate.scale.codec import decode
from substrate.state import Overlay
from substrate.trie.trie import Trie
from substrate.types import AccountId, BlockNumber, Hash

FORGED_ROOT = Hash(b"\xbd" * 32)


@dataclass(frozen=True)
class ParentState:
    """What a runtime's block was built on."""

    runtime: type[Runtime]
    state: Trie


class CollatorBehaviour(Protocol):
    """What a collator makes of the block that it would honestly offer."""

    def __call__(
        self, made: Collated[Any], context: CollationContext, parent: ParentState | None
    ) -> Collated[Any] | None:
        """The block to offer instead; None to offer nothing. `parent` is None for a Level 0 chain."""
        ...


def honest(made: Collated[Any], context: CollationContext, parent: ParentState | None) -> Collated[Any]:
    """Offer what was made."""
    return made


class Times:
    """A behaviour that is tired of it after a number of candidates, and then honest."""

    def __init__(self, behaviour: CollatorBehaviour, count: int) -> None:
        self._behaviour = behaviour
        self._left = count

    def __call__(
        self, made: Collated[Any], context: CollationContext, parent: ParentState | None
    ) -> Collated[Any] | None:
        if not self._left:
            return made
        changed = self._behaviour(made, context, parent)
        self._left -= changed is not made
        return changed


class Mint:
    """Money appears in an account; the state root tells of it, no extrinsic does."""

    def __init__(self, who: AccountId, amount: int) -> None:
        self._who = who
        self._amount = amount

    def __call__(self, made: Collated[Any], context: CollationContext, parent: ParentState | None) -> Collated[Any]:
        built = _runtime_block(made)
        assert parent is not None, "a runtime's block has a parent with a runtime"
        overlay = Overlay(built.state)
        parent.runtime(overlay).pallet(Balances).mint_into(self._who, self._amount)
        state = overlay.finish()
        header = _with_roots(built.block.header, state_root=Hash(state.root))
        return _offered(made, header, built.block.extrinsics, context.author, state=state)


class ForgeStateRoot:
    """The header claims a state that does not exist. A Level 0 chain's head data are turned instead."""

    def __call__(self, made: Collated[Any], context: CollationContext, parent: ParentState | None) -> Collated[Any]:
        if parent is None:
            return _with_result(made, head_data=HeadData(bytes(255 - byte for byte in made.result.head_data)))
        block = _runtime_block(made).block
        header = _with_roots(block.header, state_root=FORGED_ROOT)
        return _offered(made, header, block.extrinsics, context.author)


class SkipDownwardMessage:
    """The block leaves out the oldest downward message that waits; honest while none does."""

    def __call__(self, made: Collated[Any], context: CollationContext, parent: ParentState | None) -> Collated[Any]:
        if not made.result.processed_downward_messages:
            return made
        if parent is None:
            return _with_result(made, processed_downward_messages=0)
        block = _runtime_block(made).block
        extrinsics = tuple(_without_oldest(parent.runtime, raw) for raw in block.extrinsics)
        header = _with_roots(block.header, extrinsics=extrinsics)
        processed = made.result.processed_downward_messages - 1
        return _with_result(_offered(made, header, extrinsics, context.author), processed_downward_messages=processed)


class LieAboutWatermark:
    """The commitments claim another watermark than the block leads to."""

    def __call__(self, made: Collated[Any], context: CollationContext, parent: ParentState | None) -> Collated[Any]:
        return _with_result(made, hrmp_watermark=BlockNumber(made.result.hrmp_watermark + 1))


class LoopForEver:
    """The block holds something that never ends.

    Args:
        poison: Signed extrinsics whose calls never return, more of them than a block has steps for (each call that
            takes `CALL_STEPS` fails); for a Level 0 chain, block data that have that effect.
    """

    def __init__(self, *poison: bytes) -> None:
        self._poison = poison

    def __call__(self, made: Collated[Any], context: CollationContext, parent: ParentState | None) -> Collated[Any]:
        if parent is None:
            return replace(made, block_data=b"".join(self._poison))
        block = _runtime_block(made).block
        extrinsics = (*block.extrinsics, *self._poison)
        header = _with_roots(block.header, extrinsics=extrinsics)
        return _offered(made, header, extrinsics, context.author, witness=_whole(parent.state))


def _runtime_block(made: Collated[Any]) -> BuiltBlock:
    if not isinstance(made.block, BuiltBlock):
        raise ChainError("this behaviour is for chains with a runtime")
    return made.block


def _with_roots(header: Header, *, state_root: Hash | None = None, extrinsics: Sequence[bytes] | None = None) -> Header:
    """An unsealed header with other roots."""
    bare = without_seal(header)[0]
    body = bare.extrinsics_root if extrinsics is None else extrinsics_root(tuple(extrinsics))
    return Header(bare.parent_hash, bare.number, state_root or bare.state_root, body, bare.digest)


def _offered(
    made: Collated[Any],
    header: Header,
    extrinsics: tuple[bytes, ...],
    author: Ed25519Pair | None,
    *,
    state: Trie | None = None,
    witness: CompactProof | None = None,
) -> Collated[Any]:
    """The block under another header, sealed anew where it was sealed."""
    built = _runtime_block(made)
    if author is not None and without_seal(built.block.header)[1] is not None:
        header = seal_header(header, author)
    proof = witness or decode(ParachainBlockData, made.block_data).storage_proof
    data = ParachainBlockData(header, extrinsics, proof).encode()
    result = _changed(made.result, head_data=HeadData(header.encode()))
    after = built.state if state is None else state
    block = BuiltBlock(Block(header, extrinsics), data, after, built.events, result, built.included, built.rejected)
    return replace(made, block_data=data, result=result, state=after, block=block)


def _whole(state: Trie) -> CompactProof:
    """A witness of everything: nobody knows what an extrinsic touches that was never executed."""
    recorded, recorder = state.recording()
    for _ in recorded.items(b""):
        pass
    return CompactProof(recorder.proof())


def _without_oldest(runtime: type[Runtime], raw: bytes) -> bytes:
    """The parachain inherent without its first downward message; any other extrinsic as it is."""
    extrinsic = decode_checked(runtime, raw)
    if extrinsic.signed is not None:
        return raw
    entry, value = runtime.assembly().resolve(extrinsic.call)
    if entry.method != "set_validation_data":
        return raw
    data = cast("ParachainInherentData", cast(Any, value).data)
    skipping = ParachainInherentData(
        data.validation_data, data.relay_chain_state, data.downward_messages[1:], data.horizontal_messages
    )
    call = runtime.call(ParachainSystem.set_validation_data, data=skipping)
    return encode_bare(runtime.encode_call(call))


def _with_result(made: Collated[Any], **changes: Any) -> Collated[Any]:
    return replace(made, result=_changed(made.result, **changes))


def _changed(result: ValidationResult, **changes: Any) -> ValidationResult:
    fields = {name: getattr(result, name) for name in ValidationResult.__struct_fields__}
    return ValidationResult(**{**fields, **changes})

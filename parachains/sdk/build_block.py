"""Building a runtime's block with its witness: inherents, then what fits of the candidates.

Source: polkadot-sdk, `cumulus/client/consensus/aura/src/collator.rs`, `substrate/client/basic-authorship`.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from parachains.sdk.aura import Aura
from parachains.sdk.block_data import CompactProof, ParachainBlockData, extrinsic_size
from parachains.sdk.contract import Rejected
from parachains.sdk.validate_block import collect_result
from relaychain.primitives.validation import ValidationResult
from substrate.block import Block, DigestItem, Header
from substrate.consensus.aura.types import AuthorityId
from substrate.consensus.aura.verification import header_slot, seal_header, slot_author
from substrate.crypto.keys import Ed25519Pair
from substrate.errors import RuleError
from substrate.pallets.system_types import EventRecord
from substrate.runtime.assembly import Runtime
from substrate.runtime.executive import BlockBuilder
from substrate.runtime.observer import Observer
from substrate.runtime.steps import CALL_STEPS, EXTRINSIC_STEPS
from substrate.runtime.validity import ExhaustsResources, Future, TransactionInvalid
from substrate.scale.types import Struct
from substrate.trie.recorder import Recorder
from substrate.trie.trie import Trie

POV_SHARE_PERCENT = 85
"""How full transactions may make a proof: finalising the block and computing its root add to it, as upstream."""
_GIVE_UP_AFTER = 8
"""Candidates in a row that do not fit, before the block counts as full."""


class BuildReason(StrEnum):
    """Why no block can be built."""

    POV_TOO_BIG = "PovTooBig"
    NOT_OUR_TURN = "NotOurTurn"


class BuildError(RuleError):
    """No block can be built here."""


class BuiltBlock(Struct):
    """A block, its witness and its state."""

    block: Block
    """Sealed."""
    block_data: bytes
    state: Trie
    events: tuple[EventRecord, ...]
    result: ValidationResult
    included: tuple[bytes, ...]
    rejected: tuple[Rejected, ...]


def build_block(
    runtime: type[Runtime],
    parent_state: Trie,
    parent: Header,
    inherent_data: Mapping[bytes, bytes],
    digest: Sequence[DigestItem],
    candidates: Sequence[bytes] = (),
    *,
    has_time: Callable[[], bool] = lambda: True,
    max_pov_size: int,
    author: Ed25519Pair | None = None,
    observer: Observer | None = None,
) -> BuiltBlock:
    """Build on `parent`; weight and length limits are the runtime's.

    Args:
        runtime: The runtime in the parent's state.
        parent_state, parent: The parent's state, whole, and its header, sealed.
        inherent_data: By inherent identifier.
        digest: Pre-runtime items, the slot's among them.
        candidates: Extrinsics, best first.
        has_time: Asked before each of them; once it says no, the others wait.
        max_pov_size: Bytes that the block with its witness may have.
        author: Seals the block where the chain has authorities.
        observer: Told what execution does.

    Raises:
        BuildError: `POV_TOO_BIG`, `NOT_OUR_TURN`.
        TransactionInvalid: An inherent fails.
    """
    recording, recorder = parent_state.recording()
    builder = BlockBuilder(runtime, recording, parent, digest, observer)
    authorities = builder.runtime.pallet(Aura).authorities.get()
    builder.inherents(inherent_data)
    included, rejected = _fill(builder, recorder, candidates, max_pov_size, has_time)
    built = builder.build()
    block = Block(_sealed(built.block.header, authorities, author), built.block.extrinsics)
    data = _block_data(block, recorder, max_pov_size)
    executed, result = built.executed, collect_result(runtime, built.executed.state, block.header)
    return BuiltBlock(block, data, executed.state.unrecorded(), executed.events, result, included, rejected)


def _block_data(block: Block, recorder: Recorder, limit: int) -> bytes:
    data = ParachainBlockData(block.header, block.extrinsics, CompactProof(recorder.proof())).encode()
    if len(data) > limit:
        raise BuildError(BuildReason.POV_TOO_BIG, size=len(data), limit=limit)
    return data


def _sealed(header: Header, authorities: Sequence[AuthorityId], author: Ed25519Pair | None) -> Header:
    """The header with its author's seal; without authorities there is none."""
    turn = slot_author(header_slot(header), authorities)
    if turn is None:
        return header
    if author is None or author.public != turn:
        raise BuildError(BuildReason.NOT_OUR_TURN, author=f"0x{turn.hex()}")
    return seal_header(header, author)


def _fill(
    builder: BlockBuilder,
    recorder: Recorder,
    candidates: Sequence[bytes],
    max_pov_size: int,
    has_time: Callable[[], bool],
) -> tuple[tuple[bytes, ...], tuple[Rejected, ...]]:
    """Push what fits. Neither a witness nor steps shrink, so an extrinsic is tried only while there is room."""
    limit = max_pov_size * POV_SHARE_PERCENT // 100
    included: list[bytes] = []
    rejected: list[Rejected] = []
    body, misfits, steps = 0, 0, _steps_left(builder)
    for place, raw in enumerate(candidates):
        size = body + extrinsic_size(raw)
        is_spent = steps - _steps_left(builder) + CALL_STEPS > EXTRINSIC_STEPS
        is_full = misfits == _GIVE_UP_AFTER or is_spent or _proof_size(recorder) + size > limit
        if is_full or not has_time():
            reason = "the block is full" if is_full else "there is no time left"
            rejected += [Rejected(left, reason, retry=True) for left in candidates[place:]]
            break
        try:
            builder.push(raw)
        except TransactionInvalid as failure:
            full = isinstance(failure.variant, ExhaustsResources)
            misfits += full
            rejected.append(Rejected(raw, str(failure), retry=full or isinstance(failure.variant, Future)))
        else:
            included.append(raw)
            body, misfits = size, 0
    return tuple(included), tuple(rejected)


def _steps_left(builder: BlockBuilder) -> int:
    meter = builder.runtime.step_meter
    return 0 if meter is None else meter.left


def _proof_size(recorder: Recorder) -> int:
    """Nodes have some 40 bytes and more, their lengths up to 4."""
    return recorder.size * 11 // 10

"""GRANDPA on the wire: votes, commits, justifications, proofs, digests and gossip. Fields are in SCALE order.

Source: finality-grandpa, `src/lib.rs`; polkadot-sdk, `substrate/primitives/consensus/grandpa/src/lib.rs` and
`substrate/client/consensus/grandpa/src/communication/gossip.rs`.
"""

from typing import Annotated, NewType, TypeAlias

from substrate.block import Consensus, Header, consensus_logs
from substrate.scale.codec import decode, encode
from substrate.scale.types import Fixed, Struct, enum_path, path, u8, u64, variant, wire
from substrate.types import BlockNumber, Hash

ENGINE_ID = b"FRNK"
KEY_TYPE = b"gran"

AuthorityId = NewType("AuthorityId", bytes)
wire(AuthorityId, Annotated[bytes, Fixed(32)], path="sp_consensus_grandpa::app::Public")
Signature = NewType("Signature", bytes)
wire(Signature, Annotated[bytes, Fixed(64)], path="sp_consensus_grandpa::app::Signature")
AuthorityList: TypeAlias = tuple[tuple[AuthorityId, u64], ...]
"""Authorities and their weights."""
Target: TypeAlias = tuple[Hash, BlockNumber]


@path("finality_grandpa::Prevote")
@variant(0)
class Prevote(Struct):
    """First vote of a round."""

    target_hash: Hash
    target_number: BlockNumber


@path("finality_grandpa::Precommit")
@variant(1)
class Precommit(Struct):
    """Second vote of a round."""

    target_hash: Hash
    target_number: BlockNumber


@path("finality_grandpa::PrimaryPropose")
@variant(2)
class PrimaryPropose(Struct):
    """The primary's hint: its estimate of the round before."""

    target_hash: Hash
    target_number: BlockNumber


Message: TypeAlias = Prevote | Precommit | PrimaryPropose
enum_path(Message, "finality_grandpa::Message")


class SignedMessage(Struct):
    """A vote and who cast it."""

    message: Message
    signature: Signature
    id: AuthorityId


class SignedPrevote(Struct):
    """A prevote and who cast it."""

    prevote: Prevote
    signature: Signature
    id: AuthorityId


@path("finality_grandpa::SignedPrecommit")
class SignedPrecommit(Struct):
    """A precommit and who cast it."""

    precommit: Precommit
    signature: Signature
    id: AuthorityId


@path("finality_grandpa::Commit")
class Commit(Struct):
    """Precommits that make the target final."""

    target_hash: Hash
    target_number: BlockNumber
    precommits: tuple[SignedPrecommit, ...]


class CompactCommit(Struct):
    """A commit as gossiped: votes and signatures apart."""

    target_hash: Hash
    target_number: BlockNumber
    precommits: tuple[Precommit, ...]
    auth_data: tuple[tuple[Signature, AuthorityId], ...]


@path("sp_consensus_grandpa::GrandpaJustification")
class GrandpaJustification(Struct):
    """A commit that stands alone: with the headers that tie its votes together."""

    round: u64
    commit: Commit
    votes_ancestries: tuple[Header, ...]


class CatchUp(Struct):
    """All votes of a completed round."""

    round_number: u64
    prevotes: tuple[SignedPrevote, ...]
    precommits: tuple[SignedPrecommit, ...]
    base_hash: Hash
    base_number: BlockNumber


@variant(0, name="Prevote")
class PrevoteEquivocation(Struct):
    """Two distinct prevotes of one voter in one round."""

    round_number: u64
    identity: AuthorityId
    first: tuple[Prevote, Signature]
    second: tuple[Prevote, Signature]


@variant(1, name="Precommit")
class PrecommitEquivocation(Struct):
    """Two distinct precommits of one voter in one round."""

    round_number: u64
    identity: AuthorityId
    first: tuple[Precommit, Signature]
    second: tuple[Precommit, Signature]


Equivocation: TypeAlias = PrevoteEquivocation | PrecommitEquivocation
enum_path(Equivocation, "sp_consensus_grandpa::Equivocation")


@path("sp_consensus_grandpa::EquivocationProof")
class EquivocationProof(Struct):
    """An equivocation and the authority set it happened in."""

    set_id: u64
    equivocation: Equivocation


# --- digests


@variant(1)
class ScheduledChange(Struct):
    """The next authorities, in force once a block `delay` after the signal is final."""

    next_authorities: AuthorityList
    delay: BlockNumber


@variant(2)
class ForcedChange(Struct):
    """A change by block depth alone, for when finality is lost."""

    median_last_finalized: BlockNumber
    next_authorities: AuthorityList
    delay: BlockNumber


@variant(3)
class OnDisabled(Struct):
    """The authority with this index is disabled."""

    authority_index: u64


@variant(4)
class Pause(Struct):
    """Stop finalising after `delay` blocks."""

    delay: BlockNumber


@variant(5)
class Resume(Struct):
    """Go on finalising after `delay` blocks."""

    delay: BlockNumber


ConsensusLog: TypeAlias = ScheduledChange | ForcedChange | OnDisabled | Pause | Resume
enum_path(ConsensusLog, "sp_consensus_grandpa::ConsensusLog")


def digest_item(log: ConsensusLog) -> Consensus:
    """A GRANDPA log as a digest item."""
    return Consensus(ENGINE_ID, encode(ConsensusLog, log))


def header_logs(header: Header) -> tuple[ConsensusLog, ...]:
    """The GRANDPA logs of a header."""
    return tuple(decode(ConsensusLog, data) for data in consensus_logs(header, ENGINE_ID))


# --- gossip


@variant(0, name="Vote")
class VoteMessage(Struct):
    """A vote of one round and set."""

    round: u64
    set_id: u64
    message: SignedMessage


@variant(1, name="Commit")
class CommitMessage(Struct):
    """A commit of one round and set."""

    round: u64
    set_id: u64
    message: CompactCommit


@variant(2, name="Neighbor")
class NeighborPacket(Struct):
    """Where the sender stands."""

    version: u8
    """Always 1."""
    round: u64
    set_id: u64
    commit_finalized_height: BlockNumber


@variant(3)
class CatchUpRequest(Struct):
    """Asks for the votes of a completed round at or after `round`."""

    round: u64
    set_id: u64


@variant(4, name="CatchUp")
class CatchUpMessage(Struct):
    """The answer to a request."""

    set_id: u64
    message: CatchUp


GossipMessage: TypeAlias = VoteMessage | CommitMessage | NeighborPacket | CatchUpRequest | CatchUpMessage


def signing_payload(message: Message, *, round_number: int, set_id: int) -> bytes:
    """What a voter signs."""
    return encode(Message, message) + round_number.to_bytes(8, "little") + set_id.to_bytes(8, "little")

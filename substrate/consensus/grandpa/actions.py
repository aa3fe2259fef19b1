"""What a voter asks its node to do, and what a node keeps of a voter across restarts."""

from dataclasses import dataclass
from typing import TypeAlias

from substrate.consensus.grandpa.blocks import BlockRef, GrandpaError
from substrate.consensus.grandpa.round import RoundState
from substrate.consensus.grandpa.types import (
    EquivocationProof,
    GossipMessage,
    GrandpaJustification,
    SignedMessage,
    Target,
)
from substrate.scale.types import Struct, u64
from substrate.types import Hash


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Send to all peers."""

    message: GossipMessage


@dataclass(frozen=True, slots=True)
class SendTo:
    """Send to one peer."""

    peer: str
    message: GossipMessage


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Call `on_timer` at this time; replaces the timer set before."""

    at_us: int


@dataclass(frozen=True, slots=True)
class Finalize:
    """A block is final; comes last. If a set change is due there, call `start_set` next."""

    block: BlockRef
    justification: GrandpaJustification
    set_id: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A block that votes wait for does not come by itself: ask the peers for it and its ancestors."""

    block: Hash


@dataclass(frozen=True, slots=True)
class RoundStarted:
    """The voter entered a round."""

    number: int
    set_id: int


@dataclass(frozen=True, slots=True)
class Equivocated:
    """A voter was caught."""

    proof: EquivocationProof


@dataclass(frozen=True, slots=True)
class Rejected:
    """A peer's message broke a rule and changed nothing."""

    peer: str
    error: GrandpaError


@dataclass(frozen=True, slots=True)
class Conflict:
    """A valid commit contradicts finality: more than a third of the voters is faulty."""

    finalized: BlockRef
    block: BlockRef
    justification: GrandpaJustification


Action: TypeAlias = (
    Broadcast | SendTo | SetTimer | Finalize | Missing | RoundStarted | Equivocated | Rejected | Conflict
)


class VoterState(Struct):
    """Enough to go on after a restart without contradicting one's own votes; store it before acting on a step."""

    set_id: u64
    round: u64
    base: Target
    last_prevote_ghost: Target | None
    last_finalized: Target | None
    last_estimate: Target | None
    own_votes: tuple[SignedMessage, ...]

    @property
    def last_state(self) -> RoundState:
        """The state of the round before."""
        past = self.last_prevote_ghost, self.last_finalized, self.last_estimate
        return RoundState(*(None if target is None else BlockRef(*target) for target in past), completable=True)

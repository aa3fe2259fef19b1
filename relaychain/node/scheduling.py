"""What a relay parent says about who backs what: session, groups, cores and claims, as one value.

Source: polkadot-sdk, `polkadot/node/core/backing/src/lib.rs` (`construct_per_relay_parent_state`).
"""

from dataclasses import dataclass
from functools import cached_property

from relaychain.node.runtime_api import ClaimQueue, Groups, ParachainHostApi
from relaychain.primitives.candidate import (
    CandidateDescriptor,
    CandidateDescriptorVersion,
    TransposedClaimQueue,
    descriptor_version,
)
from relaychain.primitives.core_state import GroupRotationInfo
from relaychain.primitives.statements import SigningContext
from relaychain.primitives.types import (
    CoreIndex,
    GroupIndex,
    NodeFeature,
    ParaId,
    SessionIndex,
    ValidatorId,
    ValidatorIndex,
    effective_minimum_backing_votes,
)
from relaychain.runtime.shared import transposed
from substrate.scale.bits import BitVec
from substrate.types import BlockNumber, Hash


@dataclass(frozen=True)
class RelayParent:
    """A relay parent as backing sees it."""

    hash: Hash
    number: BlockNumber
    session: SessionIndex
    validators: tuple[ValidatorId, ...]
    groups: Groups
    rotation: GroupRotationInfo
    """As of the child: the group that backs is the one assigned there."""
    claim_queue: ClaimQueue
    minimum_backing_votes: int
    lookahead: int
    disabled: tuple[ValidatorIndex, ...]
    node_features: BitVec

    @property
    def context(self) -> SigningContext:
        """What statements and bitfields about this relay parent are bound to."""
        return SigningContext(self.session, self.hash)

    @property
    def n_cores(self) -> int:
        """Cores of the session: one per group."""
        return len(self.groups)

    @property
    def is_chunk_mapped(self) -> bool:
        """Whether chunk indices are shifted by core (RFC-47)."""
        bit = NodeFeature.AVAILABILITY_CHUNK_MAPPING
        return bit < len(self.node_features) and self.node_features[bit]

    @cached_property
    def transposed_claims(self) -> TransposedClaimQueue:
        """Cores of each para by depth in the claim queue."""
        return transposed(self.claim_queue)

    def index_of(self, key: ValidatorId) -> ValidatorIndex | None:
        """Place of a validator in the session; None if it is not in it."""
        return ValidatorIndex(self.validators.index(key)) if key in self.validators else None

    def group_on(self, core: CoreIndex) -> tuple[ValidatorIndex, ...]:
        """Members of the group that backs for a core."""
        if not 0 <= core < self.n_cores:
            return ()
        return self.groups[self.rotation.group_for_core(core, self.n_cores)]

    def core_of_validator(self, validator: ValidatorIndex) -> CoreIndex | None:
        """The core that a validator's group backs for."""
        for group, members in enumerate(self.groups):
            if validator in members:
                return self.rotation.core_for_group(GroupIndex(group), self.n_cores)
        return None

    def core_of_candidate(self, descriptor: CandidateDescriptor) -> CoreIndex | None:
        """The core that a candidate is for: its descriptor's, or for V1 the only one that claims its para."""
        if descriptor_version(descriptor) is CandidateDescriptorVersion.V2:
            core = CoreIndex(descriptor.core_index)
            return core if descriptor.para_id in self.claim_queue.get(core, ()) else None
        claimed = [core for core in sorted(self.claim_queue) if descriptor.para_id in self.claim_queue[core]]
        return claimed[0] if len(claimed) == 1 else None

    def claims_of(self, core: CoreIndex, para: ParaId) -> int:
        """How often a para stands in a core's claim queue: how many collations of it are worth fetching."""
        return self.claim_queue.get(core, ()).count(para)

    def votes_needed(self, core: CoreIndex) -> int:
        """Backing votes that a candidate on a core needs."""
        return effective_minimum_backing_votes(len(self.group_on(core)), self.minimum_backing_votes)


def relay_parent_at(api: ParachainHostApi, at: Hash, number: BlockNumber) -> RelayParent:
    """Ask the runtime at a block all that backing needs to know."""
    groups, rotation = api.validator_groups(at)
    return RelayParent(
        hash=at,
        number=number,
        session=api.session_index_for_child(at),
        validators=api.validators(at),
        groups=groups,
        rotation=rotation,
        claim_queue=api.claim_queue(at),
        minimum_backing_votes=api.minimum_backing_votes(at),
        lookahead=api.scheduling_lookahead(at),
        disabled=api.disabled_validators(at),
        node_features=api.node_features(at),
    )

"""Types that every chain uses."""

from typing import Annotated, ClassVar, NewType

from substrate.scale.types import Compact, Fixed, Struct, path, u32, u64, u128, wire

Hash = NewType("Hash", bytes)
wire(Hash, Annotated[bytes, Fixed(32)], path="primitive_types::H256")

AccountId = NewType("AccountId", bytes)
wire(AccountId, Annotated[bytes, Fixed(32)], path="sp_core::crypto::AccountId32")

BlockNumber = NewType("BlockNumber", int)
wire(BlockNumber, u32)

Balance = NewType("Balance", int)
wire(Balance, u128)

Nonce = NewType("Nonce", int)
wire(Nonce, u32)

Moment = NewType("Moment", int)
"""Milliseconds since the unix epoch."""
wire(Moment, u64)

Slot = NewType("Slot", int)
wire(Slot, u64, path="sp_consensus_slots::Slot")

Perbill = NewType("Perbill", int)
"""Parts per billion."""
wire(Perbill, u32, path="sp_arithmetic::per_things::Perbill")

MAX_U64 = (1 << 64) - 1


@path("sp_weights::weight_v2::Weight")
class Weight(Struct):
    """What a dispatch may use: picoseconds of time and bytes of proof. Arithmetic saturates."""

    ref_time: Compact[u64]
    proof_size: Compact[u64]

    ZERO: ClassVar["Weight"]
    MAX: ClassVar["Weight"]

    def __add__(self, other: "Weight") -> "Weight":
        return Weight(min(self.ref_time + other.ref_time, MAX_U64), min(self.proof_size + other.proof_size, MAX_U64))

    def __sub__(self, other: "Weight") -> "Weight":
        return Weight(max(self.ref_time - other.ref_time, 0), max(self.proof_size - other.proof_size, 0))

    def __mul__(self, times: int) -> "Weight":
        return Weight(min(self.ref_time * times, MAX_U64), min(self.proof_size * times, MAX_U64))

    def min(self, other: "Weight") -> "Weight":
        """The lesser of each dimension."""
        return Weight(min(self.ref_time, other.ref_time), min(self.proof_size, other.proof_size))

    def any_gt(self, other: "Weight") -> bool:
        """Whether one dimension is greater."""
        return self.ref_time > other.ref_time or self.proof_size > other.proof_size

    def all_lte(self, other: "Weight") -> bool:
        """Whether both dimensions are at most the other's."""
        return not self.any_gt(other)

    def all_gte(self, other: "Weight") -> bool:
        """Whether both dimensions are at least the other's."""
        return not other.any_gt(self)


Weight.ZERO = Weight(0, 0)
Weight.MAX = Weight(MAX_U64, MAX_U64)

ZERO_HASH = Hash(bytes(32))

"""Timestamp: the block's time, set by an inherent.

Source: polkadot-sdk, `substrate/frame/timestamp/src/lib.rs`, `substrate/primitives/timestamp/src/lib.rs`.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from substrate.errors import RuleError
from substrate.runtime.origin import NoneOrigin
from substrate.runtime.outer_enums import RuntimeCall
from substrate.runtime.pallet import Pallet, call, config, constant
from substrate.runtime.storage import StorageValue, storage_value
from substrate.scale.codec import decode
from substrate.scale.types import Compact, u64
from substrate.types import BlockNumber, Moment, Weight

INHERENT_ID = b"timstap0"
SET = Weight(10_000_000, 1_493) + Weight(25_000_000 * 2 + 100_000_000, 0)


class TimestampReason(StrEnum):
    """Why a block's time is refused."""

    TWICE = "UpdatedTwice"
    TOO_EARLY = "TooEarly"


class TimestampError(RuleError):
    """A block broke a rule of time."""


def check_next(previous: int, now: int, *, minimum_period: int) -> None:
    """Refuse a time that is not at least the minimum period after the parent's.

    Raises:
        TimestampError: `TOO_EARLY`.
    """
    if previous and now < previous + minimum_period:
        raise TimestampError(TimestampReason.TOO_EARLY, now=now, earliest=previous + minimum_period)


class Timestamp(Pallet):
    """The block's time, in milliseconds since the unix epoch."""

    now: StorageValue[Moment] = storage_value(default=Moment(0))
    did_update: StorageValue[bool] = storage_value(default=False)

    minimum_period: Moment = constant(Moment(3_000))
    on_timestamp_set: Callable[[Pallet, Moment], None] | None = config(None)
    """Told of each new time; raises where it contradicts the block's slot."""

    @call(0, weight=SET, inherent=True)
    def set(self, origin: NoneOrigin, now: Compact[Moment]) -> None:
        """Set the current time.

        Raises:
            TimestampError: `TWICE`, `TOO_EARLY`.
        """
        if self.did_update.exists():
            raise TimestampError(TimestampReason.TWICE, now=now)
        check_next(self.now.get(), now, minimum_period=self.minimum_period)
        self.now.put(now)
        self.did_update.put(True)
        if self.on_timestamp_set is not None:
            self.on_timestamp_set(self, now)

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Takes `{"now": milliseconds}`, default zero (no time known)."""
        super().genesis({name: value for name, value in config.items() if name != "now"})
        if "now" in config:
            self.now.put(Moment(config["now"]))

    def on_initialize(self, number: BlockNumber) -> Weight:
        """The weight of `on_finalize`."""
        return Weight(4_000_000, 0)

    def on_finalize(self, number: BlockNumber) -> None:
        """Forget that the time was set in this block."""
        self.did_update.kill()

    def inherent(self, data: Mapping[bytes, bytes]) -> RuntimeCall | None:
        """The call that sets the author's time, or the earliest allowed one."""
        raw = data.get(INHERENT_ID)
        if raw is None:
            return None
        earliest = self.now.get() + self.minimum_period
        now = Moment(max(decode(u64, raw), earliest if self.now.get() else 0))
        return self.runtime.call(Timestamp.set, now=now)

    def inherent_required(self) -> bool:
        """A block without its time is invalid."""
        return not self.did_update.exists()

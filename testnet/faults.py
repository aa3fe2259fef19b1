"""What can go wrong on a link, as data."""

import msgspec


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one direction of a link treats packets."""

    latency_us: int = 1_000
    jitter_us: int = 0
    """Up to this much is added to the latency, uniformly."""
    rate_bytes_per_s: int | None = None
    """Packets queue behind each other at this rate; None: no limit."""
    loss: float = 0.0
    """Chance that a packet is lost."""
    duplicate: float = 0.0
    """Chance that a packet arrives twice."""
    reorder: bool = False
    """Whether jitter may let a packet overtake another."""
    cut: bool = False
    """Nothing passes."""

    def __post_init__(self) -> None:
        """Refuse what no link can be."""
        if not (0 <= self.loss <= 1 and 0 <= self.duplicate <= 1):
            raise ValueError("loss and duplicate are chances between 0 and 1")
        if (
            self.latency_us < 0
            or self.jitter_us < 0
            or (self.rate_bytes_per_s is not None and self.rate_bytes_per_s <= 0)
        ):
            raise ValueError("latency and jitter are not negative, and a rate is positive")

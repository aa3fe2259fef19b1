"""Everything around a network. `testnet.load("latest")` opens the record of a run."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from testnet.analysis import Run, load

__all__ = ["Run", "load"]


def __getattr__(name: str) -> object:
    """Import the analysis half (pandas) when it is asked for, not before."""
    if name in __all__:
        from testnet import analysis

        return getattr(analysis, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Types that name a runtime's own enums; each runtime binds them when it is assembled."""

from substrate.scale.types import Placeholder


class RuntimeCall(Placeholder):
    """A call of any pallet: the variant is the pallet, its `value` the pallet's call."""


class RuntimeEvent(Placeholder):
    """An event of any pallet: the variant is the pallet, its `value` the pallet's event."""


class OriginCaller(Placeholder):
    """An origin of any pallet: the variant is the pallet, its `value` the pallet's origin."""

"""The runtime's version.

Source: polkadot-sdk, `substrate/primitives/version/src/lib.rs`.
"""

from typing import Annotated

from substrate.scale.types import Fixed, Struct, path, u8, u32


class CodeVersion(Struct):
    """What code says of itself without being run."""

    spec_name: str
    spec_version: u32


@path("sp_version::RuntimeVersion")
class RuntimeVersion(Struct):
    """What a runtime is, and which runtime APIs it offers."""

    spec_name: str
    impl_name: str
    authoring_version: u32
    spec_version: u32
    impl_version: u32
    apis: tuple[tuple[Annotated[bytes, Fixed(8)], u32], ...]
    """Trait hash (blake2-64 of its name) and version; filled in when the runtime is assembled."""
    transaction_version: u32
    system_version: u8

"""The boundary of validation code: what it may import, what it is given and what it returns.

Source: polkadot-sdk, `polkadot/parachain/src/primitives.rs`.
"""

import sys
from typing import Annotated, Final

from relaychain.primitives.candidate import (
    MAX_HORIZONTAL_MESSAGE_NUM,
    MAX_UPWARD_MESSAGE_NUM,
    CandidateCommitments,
)
from relaychain.primitives.messages import OutboundHrmpMessage, UpwardMessage
from relaychain.primitives.types import PARACHAIN, HeadData, ValidationCode
from substrate.scale.types import MaxLen, Struct, path, u32
from substrate.types import BlockNumber, Hash

ABI_PACKAGES: Final = ("substrate", "xcm", "relaychain.primitives", "parachains.sdk")
"""Packages of the node that validation code may import; the abi of a bundle is the hash of their sources."""


def may_import(module: str) -> bool:
    """Whether validation code may import a module that is not its own."""
    if module.partition(".")[0] in (*sys.stdlib_module_names, "msgspec"):
        return True
    return any(module == package or module.startswith(f"{package}.") for package in ABI_PACKAGES)


@path(f"{PARACHAIN}::ValidationParams")
class ValidationParams(Struct):
    """Input of `validate_block`."""

    parent_head: HeadData
    block_data: bytes
    relay_parent_number: BlockNumber
    relay_parent_storage_root: Hash


@path(f"{PARACHAIN}::ValidationResult")
class ValidationResult(Struct):
    """Output of `validate_block`. The field order is not that of `CandidateCommitments`."""

    head_data: HeadData
    new_validation_code: ValidationCode | None
    upward_messages: Annotated[tuple[UpwardMessage, ...], MaxLen(MAX_UPWARD_MESSAGE_NUM)]
    horizontal_messages: Annotated[tuple[OutboundHrmpMessage, ...], MaxLen(MAX_HORIZONTAL_MESSAGE_NUM)]
    processed_downward_messages: u32
    hrmp_watermark: BlockNumber

    @property
    def commitments(self) -> CandidateCommitments:
        """What a candidate with this result commits to."""
        return CandidateCommitments(
            upward_messages=self.upward_messages,
            horizontal_messages=self.horizontal_messages,
            new_validation_code=self.new_validation_code,
            head_data=self.head_data,
            processed_downward_messages=self.processed_downward_messages,
            hrmp_watermark=self.hrmp_watermark,
        )

"""The pool's judge: the runtime of the block it asks about."""

from typing import Any

from substrate.client.chain import Chain
from substrate.client.pool import Validate
from substrate.runtime.assembly import Runtime
from substrate.runtime.checks import validate_transaction
from substrate.runtime.validity import TransactionSource, ValidTransaction
from substrate.types import Hash


def pool_validator(chain: Chain[Any]) -> Validate:
    """Validates transactions at blocks of this chain; keeps the runtime, and its reads, of the last block."""
    last: tuple[Hash, Runtime] | None = None

    def validate(block: Hash, source: TransactionSource, raw: bytes) -> ValidTransaction:
        nonlocal last
        if last is None or last[0] != block:
            last = block, chain.runtime(block)
        return validate_transaction(last[1], raw, source, block)

    return validate

"""Small validation code."""

from relaychain.primitives.bundle import SourceFile
from relaychain.primitives.types import HeadData
from relaychain.primitives.validation import ValidationParams
from relaychain.pvf.bundle import make_bundle
from substrate.types import BlockNumber, Hash

ECHO = b"""
from relaychain.primitives.validation import ValidationParams, ValidationResult

class Echo:
    @staticmethod
    def validate_block(params: ValidationParams) -> ValidationResult:
        work(int.from_bytes(params.block_data, "little"))
        return ValidationResult(params.parent_head, None, (), (), 0, params.relay_parent_number)

def work(turns):
    %s
"""


def bundle(work: str = "for _ in range(turns): pass") -> bytes:
    return make_bundle("chain:Echo", [SourceFile("chain", ECHO % work.encode())])


def params(turns: int = 0) -> ValidationParams:
    return ValidationParams(HeadData(b"head"), turns.to_bytes(8, "little"), BlockNumber(7), Hash(bytes(32)))

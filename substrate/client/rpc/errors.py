"""JSON-RPC error objects and their codes.

Source: jsonrpsee `types/src/error.rs`; polkadot-sdk `substrate/client/rpc-api/src/{author,state}/error.rs`.
"""

from enum import IntEnum

from substrate.client.chain import BlockchainError, ChainReason
from substrate.errors import ChainError


class Code(IntEnum):
    """Codes in use."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    TOO_MANY_SUBSCRIPTIONS = -32006
    OVERSIZED_REQUEST = -32007
    OVERSIZED_RESPONSE = -32008
    OVERSIZED_BATCH = -32010
    BAD_FORMAT = 1001
    VERIFICATION_ERROR = 1002
    INVALID_TRANSACTION = 1010
    UNKNOWN_VALIDITY = 1011
    TEMPORARILY_BANNED = 1012
    ALREADY_IMPORTED = 1013
    TOO_LOW_PRIORITY = 1014
    CYCLE_DETECTED = 1015
    IMMEDIATELY_DROPPED = 1016
    INVALID_COUNT = 4002
    CLIENT_ERROR = 4003


class RpcError(ChainError):
    """A request that is answered with an error object."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(f"{message}: {data}" if data is not None else message)
        self.code = int(code)
        self.message = message
        self.data = data

    def to_json(self) -> dict[str, object]:
        """The error object of a response."""
        shown: dict[str, object] = {"code": self.code, "message": self.message}
        return shown if self.data is None else {**shown, "data": self.data}


def invalid_params(reason: str) -> RpcError:
    """-32602 with the reason."""
    return RpcError(Code.INVALID_PARAMS, f"Invalid params: {reason}", reason)


def from_chain_error(error: ChainError) -> RpcError:
    """What a client sees of an error that no method translated."""
    if isinstance(error, RpcError):
        return error
    text = str(error)
    if isinstance(error, BlockchainError):
        block = f"0x{error.context.get('block', '')}"
        if str(error.reason) == ChainReason.UNKNOWN_BLOCK.value:
            text = f"UnknownBlock: Header was not found in the database: {block}"
        elif str(error.reason) == ChainReason.STATE_DISCARDED.value:
            text = f"UnknownBlock: State already discarded for {block}"
    return RpcError(Code.CLIENT_ERROR, f"Client error: {text}")

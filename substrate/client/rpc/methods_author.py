"""`author_*`: transactions in, their fate out.

Client libraries wait for `inBlock`, `finalized` or `dropped` and overlook other ends, so a watch that ends badly ends
in `dropped`.
"""

from substrate.client.pool import Sink as Watcher
from substrate.client.pool import Status, StatusKind, TransactionPool
from substrate.client.pool_graph import PoolError, PoolReason
from substrate.client.rpc.dispatch import Cancel, Sink, rpc, subscription
from substrate.client.rpc.errors import Code, RpcError
from substrate.client.rpc.json_forms import opaque, to_hex, without_length
from substrate.errors import DecodeError
from substrate.runtime.validity import Custom, Invalid, TransactionInvalid
from substrate.types import Hash

INVALID_TEXTS = {
    "Call": "Transaction call is not expected",
    "Payment": "Inability to pay some fees (e.g. account balance too low)",
    "Future": "Transaction will be valid in the future",
    "Stale": "Transaction is outdated",
    "BadProof": "Transaction has a bad signature",
    "AncientBirthBlock": "Transaction has an ancient birth block",
    "ExhaustsResources": "Transaction would exhaust the block limits",
    "BadMandatory": "A call was labelled as mandatory, but resulted in an Error.",
    "MandatoryValidation": "Transaction dispatch is mandatory; transactions must not be validated.",
    "BadSigner": "Invalid signing address",
}
"""What clients show, by variant; upstream's words."""

_BAD_ENDS = (StatusKind.USURPED, StatusKind.INVALID, StatusKind.FINALITY_TIMEOUT)


class AuthorMethods:
    """The transaction pool as clients see it."""

    def __init__(self, pool: TransactionPool) -> None:
        self._pool = pool

    @rpc("author_submitExtrinsic")
    def submit_extrinsic(self, extrinsic: bytes) -> str:
        """Submit an extrinsic; returns its hash."""
        return to_hex(self._submit(extrinsic, None))

    @rpc("author_pendingExtrinsics")
    def pending_extrinsics(self) -> list[str]:
        """Ready extrinsics in block order."""
        return [to_hex(opaque(pooled.raw)) for pooled in self._pool.ready()]

    @subscription(
        "author_submitAndWatchExtrinsic", notify="author_extrinsicUpdate", unsubscribe=("author_unwatchExtrinsic",)
    )
    def submit_and_watch_extrinsic(self, sink: Sink, extrinsic: bytes) -> Cancel:
        """Submit an extrinsic and follow it until it is final or lost."""

        def on_status(status: Status) -> None:
            sink.send(status_json(status), is_last=status.is_last and status.kind not in _BAD_ENDS)
            if status.kind in _BAD_ENDS:
                sink.send(StatusKind.DROPPED.value, is_last=True)

        transaction = self._submit(extrinsic, on_status)
        return lambda: self._pool.unwatch(transaction, on_status)

    def _submit(self, extrinsic: bytes, watch: Watcher | None) -> Hash:
        try:
            raw = without_length(extrinsic)
        except DecodeError as error:
            raise RpcError(Code.BAD_FORMAT, f"Extrinsic has invalid format: {error}") from error
        try:
            return self._pool.submit(raw, sink=watch)
        except DecodeError as error:
            raise RpcError(Code.VERIFICATION_ERROR, f"Verification Error: {error}", str(error)) from error
        except TransactionInvalid as error:
            raise invalid_error(error) from error
        except PoolError as error:
            raise _refused(error) from error


def status_json(status: Status) -> object:
    """A status as upstream serialises it."""
    if status.kind is StatusKind.BROADCAST:
        return {"broadcast": list(status.peers)}
    return status.kind.value if status.hash is None else {status.kind.value: to_hex(status.hash)}


def invalid_error(error: TransactionInvalid) -> RpcError:
    """1010 or 1011 with the words that clients show."""
    if not isinstance(error.error, Invalid):
        return RpcError(Code.UNKNOWN_VALIDITY, "Unknown Transaction Validity", str(error))
    if isinstance(error.variant, Custom):
        return RpcError(Code.INVALID_TRANSACTION, "Invalid Transaction", f"Custom error: {error.variant.code}")
    name = type(error.variant).__name__
    return RpcError(Code.INVALID_TRANSACTION, "Invalid Transaction", INVALID_TEXTS.get(name, name))


def _refused(error: PoolError) -> RpcError:
    context = error.context
    match error.reason:
        case PoolReason.ALREADY_IMPORTED:
            return RpcError(Code.ALREADY_IMPORTED, "Transaction Already Imported", f"0x{context['transaction']}")
        case PoolReason.TEMPORARILY_BANNED:
            return RpcError(Code.TEMPORARILY_BANNED, "Transaction is temporarily banned")
        case PoolReason.TOO_LOW_PRIORITY:
            text = "The transaction has too low priority to replace another transaction already in the pool."
            message = f"Priority is too low: ({context['old']} vs {context['new']})"
            return RpcError(Code.TOO_LOW_PRIORITY, message, text)
        case PoolReason.CYCLE_DETECTED:
            return RpcError(Code.CYCLE_DETECTED, "Cycle Detected")
        case _:
            text = "The transaction couldn't enter the pool because of the limit"
            return RpcError(Code.IMMEDIATELY_DROPPED, "Immediately Dropped", text)

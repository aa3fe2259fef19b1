"""One message as a row: what its bytes say, and what the block that sent it says of the sender."""

from functools import lru_cache
from typing import Any, NamedTuple

from substrate.block import extrinsic_hash
from substrate.crypto.hashing import blake2_256
from substrate.errors import ChainError
from substrate.pallets.system_types import ApplyExtrinsic
from substrate.scale.types import Struct, naming
from testnet.observing import Executed, event_names, pallet_event
from testnet.places import Naming, account_text
from xcm.asset import Assets, Fungible
from xcm.executor.trace import MessageSent
from xcm.instruction import DepositAsset, Xcm
from xcm.location import HERE, Location
from xcm.message import all_instructions, topic_of
from xcm.versions.versioned import decode_message, latest_xcm, version_of


class Envelope(NamedTuple):
    """A message as it travels."""

    id: bytes
    """Its topic if it ends in one, else its hash."""
    hash: bytes
    size: int
    version: int | None
    """None where the bytes are no message."""
    program: Xcm


class Sender(NamedTuple):
    """What is known of who sent a message."""

    who: str
    extrinsic: bytes | None = None
    fee_tx: int | None = None
    fee_delivery: int | None = None
    parent: bytes | None = None
    """The message whose execution sent it."""


@lru_cache(maxsize=1024)
def opened(data: bytes) -> Envelope:
    """Read a message; bytes that are none become an empty program."""
    digest = blake2_256(data)
    try:
        versioned = decode_message(data)
        program = latest_xcm(versioned)
    except ChainError:
        return Envelope(digest, digest, len(data), None, Xcm(()))
    return Envelope(topic_of(program) or digest, digest, len(data), version_of(versioned), program)


def sent_row(envelope: Envelope, sender: Sender | None) -> dict[str, object]:
    """Columns of the messages table, apart from the place."""
    program = envelope.program
    row: dict[str, object] = {
        "message_id": envelope.id,
        "hash": envelope.hash,
        "topic": topic_of(program),
        "size": envelope.size,
        "xcm_version": envelope.version,
        "program": " ".join(map(operation, program)),
        "instructions": len(program),
        "beneficiary": _beneficiary(program),
    }
    if sender is not None:
        row |= {"sender": sender.who, "extrinsic": sender.extrinsic, "parent_message": sender.parent}
        row |= {"fee_tx": sender.fee_tx, "fee_delivery": sender.fee_delivery}
    return row


def operation(instruction: Struct) -> str:
    """An instruction's name."""
    return naming(type(instruction)).name or type(instruction).__name__


def _beneficiary(program: Xcm) -> str | None:
    """Who gets what is deposited last."""
    deposits = [one for one in all_instructions(program) if isinstance(one, DepositAsset)]
    return account_text(deposits[-1].beneficiary) if deposits else None


def senders(executed: Executed, names: Naming, chain: int | None) -> dict[bytes, Sender]:
    """Who sent each message of a block, by message id: from its events, and from the trace of what was executed."""
    onward = {fact.sent_id: fact for fact in executed.execution.facts if isinstance(fact, MessageSent)}
    fees_tx = _fees_by_extrinsic(executed)
    found: dict[bytes, Sender] = {}
    delivery: int | None = None
    last: int | None = None
    for record in executed.execution.events:
        at = record.phase.index if isinstance(record.phase, ApplyExtrinsic) else None
        delivery, last = (delivery if at == last else None), at
        event: Any = pallet_event(record)
        match event_names(record)[1]:
            case "FeesPaid" if hasattr(event, "fees"):
                delivery = amount_of(event.fees)
            case "Sent" if hasattr(event, "message_id"):
                fact = onward.get(event.message_id)
                found[event.message_id] = Sender(
                    _who(event.origin, names, chain),
                    None if at is None else extrinsic_hash(executed.block.extrinsics[at]),
                    # An extrinsic's fee is counted once, with the first message that it sent.
                    None if at is None else fees_tx.pop(at, 0),
                    delivery if fact is None else amount_of(fact.fee),
                    fact.message_id if fact is not None and at is None else None,
                )
                delivery = None
            case _:
                pass
    return found


def _who(origin: Location, names: Naming, chain: int | None) -> str:
    return names.chain(chain) if origin == HERE else account_text(origin)


def _fees_by_extrinsic(executed: Executed) -> dict[int, int]:
    fees: dict[int, int] = {}
    for record in executed.execution.events:
        if event_names(record) == ("TransactionPayment", "TransactionFeePaid"):
            event: Any = pallet_event(record)
            assert isinstance(record.phase, ApplyExtrinsic), "only extrinsics pay"
            fees[record.phase.index] = event.actual_fee
    return fees


def amount_of(items: Assets) -> int:
    """The amount of the first asset: fees are paid in one. All of them are in the assets table."""
    first = items[0].fun if items else None
    return first.amount if isinstance(first, Fungible) else 0

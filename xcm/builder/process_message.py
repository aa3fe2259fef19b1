"""Messages from a queue: decode, weigh, execute.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/process_xcm_message.rs`.
"""

from substrate.errors import DecodeError
from substrate.pallets.message_queue_types import (
    Corrupt,
    Outcome,
    Overweight,
    ProcessingFailure,
    Unsupported,
    WeightMeter,
)
from substrate.types import Hash, Weight
from xcm.executor.executor import Executor
from xcm.executor.passage import Passage, Unweighable
from xcm.location import Location
from xcm.outcome import Complete
from xcm.versions.mirror import VersionError
from xcm.versions.versioned import decode_message, latest_xcm


def process_message(
    executor: Executor, data: bytes, origin: Location, meter: WeightMeter, message_id: bytes
) -> Outcome:
    """Process a message from a queue.

    Args:
        executor: The chain's.
        data: A `VersionedXcm`.
        origin: The chain that sent it, as we see it.
        meter: What the queue may use.
        message_id: The message's hash; its topic takes its place where the barrier says so.

    Raises:
        ProcessingFailure: `Corrupt`, `Unsupported`; `Overweight`, with nothing used.
    """
    try:
        message = latest_xcm(decode_message(data))
        weight = executor.config.weigher.weight(message)
    except DecodeError as failure:
        raise ProcessingFailure(Corrupt(), str(failure)) from failure
    except (VersionError, Unweighable) as failure:
        raise ProcessingFailure(Unsupported(), str(failure)) from failure
    if not meter.can_consume(weight):
        raise ProcessingFailure(Overweight(weight))
    outcome, name = executor.execute_named(Passage(origin, message, weight, Weight.ZERO), message_id=message_id)
    meter.consume(outcome.used)
    return Outcome(isinstance(outcome, Complete), Hash(name))

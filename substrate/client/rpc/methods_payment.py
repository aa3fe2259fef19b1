"""`payment_*`: fees, for clients that do not call the runtime API themselves."""

from typing import Any

from substrate.client.chain import Chain
from substrate.client.rpc.dispatch import rpc
from substrate.pallets.fees import FeeDetails, RuntimeDispatchInfo
from substrate.scale.codec import encode
from substrate.scale.types import u32
from substrate.types import Hash


class PaymentMethods:
    """What an extrinsic would cost. Amounts are decimal strings, as they may exceed what JSON numbers hold."""

    def __init__(self, chain: Chain[Any]) -> None:
        self._chain = chain

    @rpc("payment_queryInfo")
    def query_info(self, extrinsic: bytes, at: Hash | None = None) -> dict[str, object]:
        """Weight, class and fee."""
        info = RuntimeDispatchInfo.decode(self._query("query_info", extrinsic, at))
        return {
            "weight": {"ref_time": info.weight.ref_time, "proof_size": info.weight.proof_size},
            "class": info.class_.name.lower(),
            "partialFee": str(info.partial_fee),
        }

    @rpc("payment_queryFeeDetails")
    def query_fee_details(self, extrinsic: bytes, at: Hash | None = None) -> dict[str, object]:
        """The parts of the fee."""
        fee = FeeDetails.decode(self._query("query_fee_details", extrinsic, at)).inclusion_fee
        if fee is None:
            return {"inclusionFee": None}
        parts = {"baseFee": fee.base_fee, "lenFee": fee.len_fee, "adjustedWeightFee": fee.adjusted_weight_fee}
        return {"inclusionFee": {name: hex(amount) for name, amount in parts.items()}}

    def _query(self, name: str, extrinsic: bytes, at: Hash | None) -> bytes:
        runtime = self._chain.runtime(self._chain.best if at is None else at)
        return runtime.api(f"TransactionPaymentApi_{name}", extrinsic + encode(u32, len(extrinsic)))

from collections.abc import Iterator, Mapping
from typing import Any, Self

class KeypairType:
    ED25519: int
    SR25519: int
    ECDSA: int

class Keypair:
    ss58_address: str
    public_key: bytes
    private_key: bytes | None
    crypto_type: int
    @classmethod
    def create_from_uri(cls, suri: str, ss58_format: int | None = ..., crypto_type: int = ...) -> Self: ...
    @classmethod
    def create_from_seed(cls, seed_hex: bytes | str, ss58_format: int | None = ..., crypto_type: int = ...) -> Self: ...
    def sign(self, data: bytes | str) -> bytes: ...
    def verify(self, data: bytes | str, signature: bytes | str) -> bool: ...

class ExtrinsicReceipt:
    extrinsic_hash: str
    block_hash: str
    finalized: bool
    extrinsic_idx: int
    is_success: bool
    error_message: Mapping[str, Any] | None
    triggered_events: list[Any]
    total_fee_amount: int
    weight: Any

class SubstrateInterface:
    def __init__(
        self,
        url: str | None = ...,
        websocket: Any = ...,
        ss58_format: int | None = ...,
        type_registry: Mapping[str, Any] | None = ...,
        type_registry_preset: str | None = ...,
        cache_region: Any = ...,
        runtime_config: Any = ...,
        use_remote_preset: bool = ...,
        ws_options: Mapping[str, Any] | None = ...,
        auto_discover: bool = ...,
        auto_reconnect: bool = ...,
        config: Mapping[str, Any] | None = ...,
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None: ...
    def close(self) -> None: ...
    def rpc_request(self, method: str, params: list[Any] | None, result_handler: Any = ...) -> dict[str, Any]: ...
    def query(
        self,
        module: str,
        storage_function: str,
        params: list[Any] | None = ...,
        block_hash: str | None = ...,
        raw_storage_key: bytes | None = ...,
        subscription_handler: Any = ...,
    ) -> Any: ...
    def query_map(
        self,
        module: str,
        storage_function: str,
        params: list[Any] | None = ...,
        block_hash: str | None = ...,
        **kwargs: Any,
    ) -> Iterator[tuple[Any, Any]]: ...
    def compose_call(
        self,
        call_module: str,
        call_function: str,
        call_params: Mapping[str, Any] | None = ...,
        block_hash: str | None = ...,
    ) -> Any: ...
    def create_signed_extrinsic(self, call: Any, keypair: Keypair, **kwargs: Any) -> Any: ...
    def submit_extrinsic(
        self, extrinsic: Any, wait_for_inclusion: bool = ..., wait_for_finalization: bool = ...
    ) -> ExtrinsicReceipt: ...
    def get_events(self, block_hash: str | None = ...) -> list[Any]: ...
    def get_block(self, block_hash: str | None = ..., **kwargs: Any) -> dict[str, Any] | None: ...
    def get_block_hash(self, block_id: int | None = ...) -> str: ...
    def get_block_number(self, block_hash: str | None) -> int: ...
    def get_chain_head(self) -> str: ...
    def get_chain_finalised_head(self) -> str: ...
    def get_constant(self, module_name: str, constant_name: str, block_hash: str | None = ...) -> Any: ...
    def get_payment_info(self, call: Any, keypair: Keypair) -> dict[str, Any]: ...
    def runtime_call(
        self, api: str, method: str, params: list[Any] | Mapping[str, Any] | None = ..., block_hash: str | None = ...
    ) -> Any: ...
    def subscribe_block_headers(self, subscription_handler: Any, **kwargs: Any) -> Any: ...
    def __getattr__(self, name: str) -> Any: ...

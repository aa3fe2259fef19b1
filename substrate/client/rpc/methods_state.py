"""`state_*`: storage, metadata, versions and runtime calls, each at the block that was named."""

from itertools import islice
from typing import Any

from substrate.client.chain import Chain
from substrate.client.rpc.dispatch import Cancel, Sink, rpc, subscription
from substrate.client.rpc.errors import Code, RpcError
from substrate.client.rpc.json_forms import optional_hex, to_hex, version_json
from substrate.crypto.hashing import blake2_256
from substrate.runtime.version import RuntimeVersion
from substrate.scale.codec import decode
from substrate.trie.proofs import read_proof
from substrate.trie.trie import Trie
from substrate.types import Hash

MAX_PAGE = 1000
"""Keys per page."""


class StateMethods:
    """Reads at a block; the best one if none is given."""

    def __init__(self, chain: Chain[Any]) -> None:
        self._chain = chain

    @rpc("state_getStorage", "state_getStorageAt")
    def get_storage(self, key: bytes, at: Hash | None = None) -> str | None:
        """A value."""
        return optional_hex(self._state(at).get(key))

    @rpc("state_getStorageHash", "state_getStorageHashAt")
    def get_storage_hash(self, key: bytes, at: Hash | None = None) -> str | None:
        """Blake2-256 of a value."""
        value = self._state(at).get(key)
        return None if value is None else to_hex(blake2_256(value))

    @rpc("state_getStorageSize", "state_getStorageSizeAt")
    def get_storage_size(self, key: bytes, at: Hash | None = None) -> int | None:
        """Length of a value."""
        value = self._state(at).get(key)
        return None if value is None else len(value)

    @rpc("state_getKeysPaged", "state_getKeysPagedAt")
    def get_keys_paged(
        self, prefix: bytes | None = None, count: int = 100, start_key: bytes | None = None, at: Hash | None = None
    ) -> list[str]:
        """Keys under a prefix in order, after `start_key`, at most 1000."""
        if count > MAX_PAGE:
            raise RpcError(Code.INVALID_COUNT, f"count exceeds maximum value. value: {count}, max: {MAX_PAGE}")
        keys = self._state(at).keys(prefix or b"", start_key)
        return [to_hex(key) for key in islice(keys, count)]

    @rpc("state_queryStorageAt")
    def query_storage_at(self, keys: tuple[bytes, ...], at: Hash | None = None) -> list[dict[str, object]]:
        """Values of several keys."""
        block = self._chain.best if at is None else at
        return [_changes(block, _read(self._chain.state(block), keys))]

    @rpc("state_getReadProof")
    def get_read_proof(self, keys: tuple[bytes, ...], at: Hash | None = None) -> dict[str, object]:
        """Trie nodes that prove what is, or is not, under some keys."""
        block = self._chain.best if at is None else at
        proof = read_proof(self._chain.state(block), keys)
        return {"at": to_hex(block), "proof": [to_hex(node) for node in proof]}

    @rpc("state_getMetadata")
    def get_metadata(self, at: Hash | None = None) -> str:
        """Metadata V14 of the runtime."""
        metadata: bytes = decode(bytes, self._api("Metadata_metadata", b"", at))
        return to_hex(metadata)

    @rpc("state_getRuntimeVersion", "chain_getRuntimeVersion")
    def get_runtime_version(self, at: Hash | None = None) -> dict[str, object]:
        """Version of the runtime."""
        return version_json(decode(RuntimeVersion, self._api("Core_version", b"", at)))

    @rpc("state_call", "state_callAt")
    def call(self, name: str, data: bytes, at: Hash | None = None) -> str:
        """Call a runtime API with SCALE arguments; state changes are dropped."""
        return to_hex(self._api(name, data, at))

    @subscription("state_subscribeStorage", notify="state_storage", unsubscribe=("state_unsubscribeStorage",))
    def subscribe_storage(self, sink: Sink, keys: tuple[bytes, ...]) -> Cancel:
        """Values of some keys now, then those that change with the best block."""
        known = _read(self._state(None), keys)
        sink.send(_changes(self._chain.best, known))

        def on_best(block: Hash) -> None:
            values = _read(self._chain.state(block), keys)
            changed = {key: value for key, value in values.items() if value != known[key]}
            if changed:
                known.update(changed)
                sink.send(_changes(block, changed))

        return self._chain.on_best(on_best)

    @subscription(
        "state_subscribeRuntimeVersion",
        "chain_subscribeRuntimeVersion",
        notify="state_runtimeVersion",
        unsubscribe=("state_unsubscribeRuntimeVersion", "chain_unsubscribeRuntimeVersion"),
    )
    def subscribe_runtime_version(self, sink: Sink) -> Cancel:
        """The runtime version now, and whenever it changes."""
        known = self.get_runtime_version()
        sink.send(known)

        def on_best(_: Hash) -> None:
            nonlocal known
            version = self.get_runtime_version()
            if version != known:
                known = version
                sink.send(version)

        return self._chain.on_best(on_best)

    def _state(self, at: Hash | None) -> Trie:
        return self._chain.state(self._chain.best if at is None else at)

    def _api(self, name: str, data: bytes, at: Hash | None) -> bytes:
        return self._chain.runtime(self._chain.best if at is None else at).api(name, data)


def _read(state: Trie, keys: tuple[bytes, ...]) -> dict[bytes, bytes | None]:
    return {key: state.get(key) for key in keys}


def _changes(block: Hash, values: dict[bytes, bytes | None]) -> dict[str, object]:
    return {"block": to_hex(block), "changes": [[to_hex(key), optional_hex(value)] for key, value in values.items()]}

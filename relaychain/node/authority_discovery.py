"""Authority discovery: which peer a validator key is, by records that the validators sign.

Source: polkadot-sdk, `substrate/client/authority-discovery/src/worker.rs`. Upstream publishes to a DHT; here each
validator tells its peers.
"""

from enum import StrEnum

from relaychain.node.reports import Reports
from relaychain.primitives.types import ValidatorId, ValidatorSignature
from substrate.client.protocols import Network
from substrate.crypto.keys import Ed25519Pair, verify_ed25519
from substrate.errors import DecodeError, RuleError
from substrate.scale.types import Struct, u64

AUTHORITY = "authority_discovery"
KEYS_PER_PEER = 4
"""Keys that one peer may prove: this session's and the next ones'; older ones are forgotten."""
_MAGIC = b"ADDR"


class AuthorityReason(StrEnum):
    """Why a record is refused."""

    WRONG_PEER = "WrongPeer"
    """Only who is named in a record may tell it: it would otherwise lead to a peer that never asked for it."""
    BAD_SIGNATURE = "BadSignature"


class AuthorityError(RuleError):
    """A record that is not believed."""


class AuthorityRecord(Struct):
    """A validator says under which name it is reached."""

    key: ValidatorId
    name: str
    made_at_us: u64
    """The newest record holds."""
    signature: ValidatorSignature


def record_payload(name: str, made_at_us: int) -> bytes:
    """Bytes that a record's signature covers."""
    return _MAGIC + made_at_us.to_bytes(8, "little") + name.encode()


def signed_record(pair: Ed25519Pair, name: str, made_at_us: int) -> AuthorityRecord:
    """A validator's own record."""
    signature = ValidatorSignature(pair.sign(record_payload(name, made_at_us)))
    return AuthorityRecord(ValidatorId(pair.public), name, made_at_us, signature)


class AuthorityDiscovery:
    """Names of validators by their keys, and the other way round."""

    def __init__(self, network: Network, pair: Ed25519Pair | None, reports: Reports) -> None:
        self._reports = reports
        self._network = network
        self._pair = pair
        self._told: tuple[str, ...] = ()
        self._records: dict[ValidatorId, AuthorityRecord] = {}

    def start(self, now_us: int) -> None:
        """Listen, and tell the peers there are."""
        self._network.on(AUTHORITY, self._on_record)
        self.publish(now_us)

    def publish(self, now_us: int) -> None:
        """Tell every peer; repeated now and then, since peers come and messages are lost."""
        self._told = self._network.peers()
        if self._pair is not None:
            record = signed_record(self._pair, self._network.name, now_us)
            self._records[record.key] = record
            self._network.broadcast(AUTHORITY, record.encode())

    def has_new_peers(self) -> bool:
        """Whether a peer has come since the last publication."""
        return any(peer not in self._told for peer in self._network.peers())

    def peer_of(self, key: ValidatorId) -> str | None:
        """Name of the validator with that key, if it is known."""
        record = self._records.get(key)
        return record.name if record else None

    def keys_of(self, name: str) -> tuple[ValidatorId, ...]:
        """Keys that a peer has proven, oldest first."""
        return tuple(record.key for record in self._records.values() if record.name == name)

    def _on_record(self, sender: str, payload: bytes) -> None:
        try:
            self._take(sender, AuthorityRecord.decode(payload))
        except (DecodeError, AuthorityError) as failure:
            self._reports.fault("BadAuthorityRecord", f"{sender}: {failure}")

    def _take(self, sender: str, record: AuthorityRecord) -> None:
        known = self._records.get(record.key)
        if known is not None and known.made_at_us >= record.made_at_us:
            return
        if record.name != sender:
            raise AuthorityError(AuthorityReason.WRONG_PEER, name=record.name)
        if not verify_ed25519(record.signature, record_payload(record.name, record.made_at_us), record.key):
            raise AuthorityError(AuthorityReason.BAD_SIGNATURE, name=record.name)
        self._records.pop(record.key, None)
        self._records[record.key] = record
        for old in self.keys_of(record.name)[:-KEYS_PER_PEER]:
            del self._records[old]

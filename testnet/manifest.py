"""The network file: TOML in zombienet's shape, typed.

What a user can get wrong is answered with file, line, key and the way out (`testnet/manifest_reader.py`).
Keys that mean binaries in a zombienet file (`command`, `image`, ...) are read past and listed in `Manifest.ignored`.
"""

import re
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from substrate.client.chain import KEPT_STATES

WELL_KNOWN = ("alice", "bob", "charlie", "dave", "eve", "ferdie", "one", "two")
"""Names whose keys every client knows: alice is `//Alice`."""

DEFAULT_BALANCE = 2_000_000_000_000
MOST_BALANCE = 1 << 100
"""Largest balance of one account at genesis: all of them together fit 128 bits."""

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
WireCount: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)]
"""A count that the relay chain keeps in 32 bits."""
Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
ParaNumber: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Amount: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
PalletOptions: TypeAlias = dict[str, dict[str, Any]]
"""Genesis options by pallet."""


class Duration(msgspec.Struct, frozen=True):
    """A length of time: exact, or counted in what the chain counts."""

    amount: int
    unit: Literal["us", "blocks", "sessions"]

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read `"500ms"`, `"1.5s"`, `"2m"`, `"3 blocks"` or `"2 sessions"`. Raises ValueError."""
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*(us|ms|s|m|h|blocks?|sessions?)", text.strip())
        if match is None:
            raise ValueError(f'{text!r} is not a duration: write "500ms", "6s", "3 blocks" or "2 sessions"')
        number, unit = match.groups()
        if unit[0] == "b" or unit.startswith("session"):
            if "." in number:
                raise ValueError(f"{text!r} is not a duration: blocks and sessions are whole")
            return cls(int(number), "blocks" if unit[0] == "b" else "sessions")
        scale = {"us": 1, "ms": 1000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}[unit]
        return cls(round(float(number) * scale), "us")

    def __str__(self) -> str:
        """As a network file writes it."""
        if self.unit != "us":
            return f"{self.amount} {self.unit}"
        return f"{self.amount // 1000}ms" if self.amount % 1000 == 0 else f"{self.amount}us"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`[settings]`: how the network runs."""

    name: str = ""
    """Defaults to the file's name."""
    seed: Annotated[int, msgspec.Meta(ge=0)] = 42
    """Everything random comes from here."""
    clock: Literal["real", "virtual"] = "real"
    block_time: Duration = Duration(500_000, "us")
    """Relay slot; "6s" is Polkadot's pace."""
    transport: Literal["memory"] = "memory"
    timeout: Count = 1000
    """Seconds of the machine's time without a newly finalised relay block after which the run has failed."""
    local_ip: str = "127.0.0.1"
    keep_states: Annotated[int, msgspec.Meta(ge=16)] = KEPT_STATES
    """Finalised blocks of each chain whose states can be queried; older ones are forgotten."""


class DelaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[relaychain.default_delay_network_settings]`: zombienet's name for what every link does to its packets."""

    latency: Duration = Duration(1000, "us")
    jitter: Duration = Duration(0, "us")
    loss: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    """Chance that a packet is lost; not in zombienet."""
    rate: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Bytes a second; not in zombienet."""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """`[[relaychain.nodes]]` or `[[parachains.collators]]`."""

    name: str
    rpc_port: Port = 0
    """0 picks a free port."""
    validator: bool = True
    """Of relay nodes."""
    balance: Amount | None = None
    """Of validators."""
    behaviour: Literal["honest"] = "honest"

    @property
    def key_uri(self) -> str:
        """Where the node's keys are derived from: `//Alice`."""
        return f"//{self.name[0].upper()}{self.name[1:]}"


class NodeGroup(msgspec.Struct, frozen=True, kw_only=True):
    """`[[relaychain.node_groups]]`: `count` nodes called `name-0`, `name-1`, ..."""

    name: str
    count: Count

    def nodes(self) -> tuple[Node, ...]:
        """The group written out."""
        return tuple(Node(name=f"{self.name}-{number}") for number in range(self.count))


class Relaychain(msgspec.Struct, frozen=True, kw_only=True):
    """`[relaychain]`."""

    chain: str = "relayloom-local"
    """Shown, and hashed into genesis."""
    nodes: tuple[Node, ...] = ()
    node_groups: tuple[NodeGroup, ...] = ()
    default_balance: Amount = DEFAULT_BALANCE
    epoch_duration: Duration = Duration(10, "blocks")
    """An epoch, and with it a session."""
    validators_per_core: WireCount | None = None
    """Largest backing group; unset, validators are spread over the cores."""
    minimum_backing_votes: WireCount = 2
    needed_approvals: WireCount = 2
    """Stands in the configuration, and means nothing yet: there is no approval checking."""
    accounts: dict[str, Amount] = {}
    """Balances at genesis, by name or ss58 address."""
    genesis: PalletOptions = {}
    """Goes to the runtime's pallets: `[relaychain.genesis.PALLET]`."""
    default_delay_network_settings: DelaySettings = DelaySettings()

    @property
    def validators(self) -> tuple[Node, ...]:
        """Nodes that validate, groups written out."""
        return tuple(node for node in self.all_nodes if node.validator)

    @property
    def all_nodes(self) -> tuple[Node, ...]:
        """All relay nodes, groups written out."""
        return (*self.nodes, *(node for group in self.node_groups for node in group.nodes()))


class IssuedAsset(msgspec.Struct, frozen=True, kw_only=True):
    """`[[parachains.assets]]`: an asset that the parachain issues; its siblings take it, too."""

    id: ParaNumber
    symbol: str
    decimals: Annotated[int, msgspec.Meta(ge=0, le=38)] = 12
    min_balance: Count = 1
    balance: Amount = 0
    """What each dev account has of it at genesis, in its smallest unit."""


class AssetRate(msgspec.Struct, frozen=True, kw_only=True):
    """`[[parachains.rates]]`: what an asset is worth in execution fees."""

    asset: str
    """`"relay"`, a sibling's id for its native token (`"2000"`), or an asset that a chain issues (`"1000/1984"`)."""
    rate: Annotated[float, msgspec.Meta(ge=1e-18, le=1e18)]
    """Whole native tokens for one whole asset; one, unless said."""


class Parachain(msgspec.Struct, frozen=True, kw_only=True):
    """`[[parachains]]`."""

    id: ParaNumber
    runtime: str = "assets"
    """A plugin's name, `package.module:Class`, or `./file.py:Class` next to the network file."""
    collator: Node | None = None
    collators: tuple[Node, ...] = ()
    collator_groups: tuple[NodeGroup, ...] = ()
    assets: tuple[IssuedAsset, ...] = ()
    rates: tuple[AssetRate, ...] = ()
    genesis: PalletOptions = {}
    """Goes to the runtime's pallets: `[parachains.genesis.PALLET]`."""

    @property
    def all_collators(self) -> tuple[Node, ...]:
        """Its collators, groups written out; one is made up if none is named."""
        single = () if self.collator is None else (self.collator,)
        groups = (node for group in self.collator_groups for node in group.nodes())
        return (*single, *self.collators, *groups) or (Node(name=f"collator-{self.id}"),)


class Channel(msgspec.Struct, frozen=True):
    """One direction between two parachains, open at genesis."""

    sender: int
    recipient: int
    max_capacity: int
    max_message_size: int


class HrmpChannels(msgspec.Struct, frozen=True, kw_only=True):
    """`[[hrmp_channels]]`: from `sender` to `recipient`, both ways, or between all parachains."""

    sender: int | None = None
    recipient: int | None = None
    max_capacity: WireCount = 8
    max_message_size: WireCount = 8192
    bidirectional: bool = False
    all: bool = False

    def channels(self, paras: tuple[int, ...]) -> tuple[Channel, ...]:
        """The single directions that this entry opens."""
        if self.all:
            pairs = list(permutations(paras, 2))
        else:
            assert self.sender is not None and self.recipient is not None, "checked when the file was read"
            pairs = [(self.sender, self.recipient)]
            pairs += [(self.recipient, self.sender)] if self.bidirectional else []
        return tuple(Channel(*pair, self.max_capacity, self.max_message_size) for pair in pairs)


class RecordSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[record]`."""

    path: str = "runs"
    """Directory of the runs' own directories, from where the command is run."""

    @property
    def directory(self) -> Path:
        """The path with `~` as a home directory. Raises RuntimeError if nobody has that name."""
        return Path(self.path).expanduser()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A whole network file."""

    settings: Settings = Settings()
    relaychain: Relaychain
    parachains: tuple[Parachain, ...] = ()
    hrmp_channels: tuple[HrmpChannels, ...] = ()
    record: RecordSettings = RecordSettings()
    directory: Path = Path()
    """Where the file lies; runtimes given as files are found from here."""
    path: Path = Path()
    """The file itself."""
    text: str = ""
    """The file as it was read: the record keeps it."""
    ignored: tuple[str, ...] = ()
    """Zombienet keys that mean nothing here."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every direction open at genesis, in the file's order."""
        paras = tuple(para.id for para in self.parachains)
        return tuple(channel for entry in self.hrmp_channels for channel in entry.channels(paras))

    @property
    def block_time_us(self) -> int:
        """Length of a relay slot."""
        return self.settings.block_time.amount


def demo_manifest_path() -> Path:
    """The network of `testnet demo`."""
    return Path(__file__).parent / "manifests" / "demo.toml"

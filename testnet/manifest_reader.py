"""Reading a network file: every mistake is one line with file, line number, key and the way out."""

import difflib
import re
import tomllib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from testnet.errors import UsageError
from testnet.manifest import (
    DelaySettings,
    Duration,
    Manifest,
    Node,
    NodeGroup,
    Parachain,
    Relaychain,
    Settings,
)
from testnet.para_mistakes import channel_mistakes, para_mistakes
from testnet.toml_lines import Path as KeyPath
from testnet.toml_lines import TomlLines, snake_case

_NODE_KEYS = (
    "image command command_with_args args env bootnodes overrides add_to_bootnodes resources ws_port p2p_port "
    "prometheus_port prometheus_prefix keystore_key_types keystore_path invulnerable db_snapshot subcommand"
)
_IGNORED: dict[type, frozenset[str]] = {
    Manifest: frozenset(["types"]),
    Settings: frozenset(
        "bootnode provider backchannel polkadot_introspector jaeger_agent enable_tracing tracing_collator_url "
        "tracing_collator_service_name tracing_collator_service_namespace tracing_collator_service_port "
        "node_spawn_timeout grafana telemetry prometheus prometheus_prefix node_verifier isolate_env".split()
    ),
    Relaychain: frozenset(
        "default_command default_image default_args default_overrides default_resources default_prometheus_prefix "
        "default_db_snapshot chain_spec_path chain_spec_command chain_spec_modifier_commands random_nominators_count "
        "max_nominations use_stash_for_validators wasm_override".split()
    ),
    DelaySettings: frozenset(["correlation"]),
    Node: frozenset(_NODE_KEYS.split()),
    NodeGroup: frozenset(_NODE_KEYS.split()),
    Parachain: frozenset(
        "chain add_to_genesis cumulus_based evm_based with_custom_props default_args default_command default_image "
        "default_resources genesis_wasm_path genesis_wasm_generator genesis_state_path genesis_state_generator "
        "chain_spec_path chain_spec_command prometheus_prefix onboard_as_parachain register_para".split()
    ),
}
_INTERNAL: dict[type, frozenset[str]] = {Manifest: frozenset({"directory", "path", "text", "ignored"})}
"""What the reader itself fills in."""
_REFUSED: dict[tuple[type, str], str] = {
    (Manifest, "faults"): "faults cannot be set in the file in this version; remove the section",
    (Relaychain, "runtime_genesis_patch"): "write the setting itself under [relaychain] or [relaychain.genesis.PALLET]",
}
_EXAMPLE = f"write one like {Path(__file__).parent}/manifests/demo.toml"


class ManifestError(UsageError):
    """The network file cannot be used; `problems` holds one line per mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Reader:
    """One reading of one file."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.problems: list[str] = []
        self.ignored: dict[str, None] = {}

    def parse(self) -> dict[str, Any]:
        try:
            data = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)", str(error))
            line = place[1] if place and place[1] else self.text.rstrip("\n").count("\n") + 1
            message = str(error)[: place.start()] if place else str(error)
            raise ManifestError([f"{self.path}:{line}: not TOML: {message}"]) from None
        except RecursionError:
            depths = [sum(map(line.count, "[{")) for line in self.text.split("\n")]
            line = depths.index(max(depths)) + 1
            raise ManifestError([f"{self.path}:{line}: brackets in brackets, deeper than can be read"]) from None
        self.lines = TomlLines(self.text)
        return data

    def problem(self, key: KeyPath, message: str) -> None:
        """Note one mistake at one key."""
        self.problems.append(f"{self.path}:{self.lines.of(key)}: {_dotted(key)}: {message}")

    def stop_if_wrong(self) -> None:
        if self.problems:
            raise ManifestError(self.problems)

    def table(self, kind: type[msgspec.Struct], value: Mapping[str, Any], at: KeyPath) -> dict[str, Any]:
        """The table with aliases resolved, ignored keys dropped and durations read."""
        internal, out = _INTERNAL.get(kind, frozenset()), dict[str, Any]()
        hints = {name: hint for name, hint in get_type_hints(kind, include_extras=True).items() if name not in internal}
        for written, item in value.items():
            name, key = snake_case(written), (*at, written)
            if name in out:
                self.problem(key, f"the same as {name}, which is given too; keep one")
            elif name in hints:
                out[name] = self.value(hints[name], item, key)
            elif name in _IGNORED.get(kind, ()):
                self.ignored[_dotted(key, indices=False)] = None
            elif (kind, name) in _REFUSED:
                self.problem(key, _REFUSED[kind, name])
            else:
                allowed = sorted(hints)
                near = difflib.get_close_matches(name, allowed, n=1)
                hint = f"did you mean {near[0]}? " if near else ""
                self.problem(key, f"unknown key; {hint}allowed: {', '.join(allowed)}")
        return out

    def value(self, hint: Any, item: Any, at: KeyPath) -> Any:
        """One value, walked as far as its type has tables."""
        origin = get_origin(hint)
        if origin in (Union, UnionType):
            hint = next(arm for arm in get_args(hint) if arm is not type(None))
            origin = get_origin(hint)
        if origin is tuple and isinstance(item, list):
            inner = get_args(hint)[0]
            return [self.value(inner, one, (*at, number)) for number, one in enumerate(cast("list[Any]", item))]
        if origin is dict:
            self.check_values(get_args(hint)[1], item, at)
        if hint is Duration:
            return self.duration(item, at)
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct) and isinstance(item, dict):
            return self.table(hint, cast("dict[str, Any]", item), at)
        return item

    def duration(self, item: Any, at: KeyPath) -> Duration:
        try:
            return Duration.parse(str(item))
        except ValueError as error:
            self.problem(at, str(error))
            return Duration(1, "us")

    def check_values(self, kind: Any, items: object, at: KeyPath) -> None:
        """Note what is wrong under names that the user chose: the typed conversion does not tell them."""
        for name, item in cast("dict[str, Any]", items).items() if isinstance(items, dict) else ():
            try:
                msgspec.convert(item, kind, strict=True)
            except msgspec.ValidationError as error:
                self.problem((*at, name), _explained(str(error).partition(" - at `$")[0], (*at, name)))

    def convert(self, data: dict[str, Any]) -> Manifest:
        """Typed from here on."""
        try:
            return msgspec.convert(data, Manifest, strict=True)
        except msgspec.ValidationError as error:
            message, _, place = str(error).partition(" - at `$")
            key = tuple(int(index) if index else name for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", place))
            self.problem(key, _explained(message, key))
            raise ManifestError(self.problems) from None


def _explained(message: str, key: KeyPath) -> str:
    if message.startswith("Invalid enum value"):
        allowed = _literals(key)
        extra = "; other behaviours are not part of this version" if key[-1] == "behaviour" else ""
        wrong = message.removeprefix("Invalid enum value ")
        return f"{wrong} is not possible; allowed: {', '.join(map(repr, allowed))}{extra}"
    if message.startswith("Object missing required field"):
        return f"missing key {message.split('`')[1]}" + ("" if key else f"; {_EXAMPLE}")
    message = message.replace(" | null", "")
    return message[0].lower() + message[1:].replace("`object`", "a table").replace("`array`", "a list").replace("`", "")


def _literals(key: KeyPath) -> tuple[object, ...]:
    hint: Any = Manifest
    for part in key:
        hint = get_args(hint)[0] if isinstance(part, int) else get_type_hints(hint)[part]
        if get_origin(hint) in (Union, UnionType):
            hint = get_args(hint)[0]
    return get_args(hint)


def _dotted(key: KeyPath, *, indices: bool = True) -> str:
    text = "".join((f"[{part}]" if indices else "") if isinstance(part, int) else f".{part}" for part in key)
    return text.removeprefix(".") or "file"


def load_manifest(path: Path) -> Manifest:
    """Read and check a network file.

    Raises:
        ManifestError: With one line per mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ManifestError([f"{path}: no such file; {_EXAMPLE}"]) from None
    except OSError as error:
        raise ManifestError([f"{path}: cannot be read: {error.strerror}; {_EXAMPLE}"]) from None
    except UnicodeDecodeError as error:
        raise ManifestError([f"{path}: is not UTF-8 text ({error.reason} at byte {error.start}); {_EXAMPLE}"]) from None
    reader = _Reader(path, text)
    tables = reader.table(Manifest, reader.parse(), ())
    reader.stop_if_wrong()
    manifest = reader.convert(tables)
    settings = manifest.settings
    if not settings.name:
        settings = msgspec.structs.replace(settings, name=path.stem)
    manifest = msgspec.structs.replace(
        manifest, settings=settings, directory=path.parent, path=path, text=text, ignored=tuple(reader.ignored)
    )
    for key, message in _mistakes(manifest):
        reader.problem(key, message)
    reader.stop_if_wrong()
    return manifest


@contextmanager
def located(manifest: Manifest) -> Generator[None]:
    """Put file, line and key before what turns out to be wrong with the file when its chains are made.

    Raises:
        ManifestError: For every UsageError.
    """
    try:
        yield
    except UsageError as failure:
        if not manifest.text:
            raise
        line = TomlLines(manifest.text).of(failure.key)
        raise ManifestError([f"{manifest.path}:{line}: {_dotted(failure.key)}: {failure}"]) from failure


def _mistakes(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """What types cannot say."""
    relay = manifest.relaychain
    if not relay.validators:
        yield ("relaychain",), "no validators; add [[relaychain.nodes]] with a name"
    elif manifest.parachains and len(relay.validators) == 1:
        yield (
            ("relaychain",),
            (
                "one validator cannot keep a parachain's blocks available: erasure coding needs two; "
                "add another [[relaychain.nodes]], or remove the parachains"
            ),
        )
    elif len(relay.validators) < (count := _core_count(manifest)):
        yield (
            ("relaychain",),
            (
                f"{len(relay.validators)} validators for {count} cores: each parachain's core needs a validator of its "
                "own, or the parachain stands still; add [[relaychain.nodes]], or remove parachains"
            ),
        )
    yield from _text_mistakes(manifest)
    block_time = manifest.settings.block_time
    if block_time.unit != "us" or block_time.amount <= 0 or block_time.amount % 1000:
        yield ("settings", "block_time"), 'must be a time in whole milliseconds, such as "500ms"'
    if relay.epoch_duration.unit != "blocks" or relay.epoch_duration.amount < 1:
        yield ("relaychain", "epoch_duration"), 'must be a number of blocks, such as "10 blocks"'
    elif relay.epoch_duration.amount == 1 and manifest.parachains:
        yield (
            ("relaychain", "epoch_duration"),
            "with a session in each block no candidate can become available: a new session drops what is pending; "
            "write 2 blocks or more",
        )
    for name in ("latency", "jitter"):
        if getattr(relay.default_delay_network_settings, name).unit != "us":
            yield ("relaychain", "default_delay_network_settings", name), 'must be a time, such as "50ms"'
    yield from _node_mistakes(manifest)
    yield from para_mistakes(manifest)
    yield from channel_mistakes(manifest)


def _core_count(manifest: Manifest) -> int:
    """Cores that the genesis will have: one for each parachain, or as many as it says."""
    given = manifest.relaychain.genesis.get("configuration", {})
    tables = [cast("dict[str, Any]", each) for each in (given, given.get("scheduler_params")) if isinstance(each, dict)]
    wanted = (each["num_cores"] for each in tables if "num_cores" in each)
    return max(len(manifest.parachains), *(count for count in wanted if isinstance(count, int)), 0)


def _text_mistakes(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """What the system would stumble over later."""
    try:
        ip_address(manifest.settings.local_ip)
    except ValueError:
        yield (
            ("settings", "local_ip"),
            f'{manifest.settings.local_ip!r} is no IP address; write one such as "127.0.0.1"',
        )
    if "\0" in manifest.record.path:
        yield ("record", "path"), f"{manifest.record.path!r} is no path; remove the NUL character"
    try:
        manifest.record.directory  # noqa: B018 - it is asked whether there is one
    except RuntimeError:
        yield ("record", "path"), f"{manifest.record.path!r} begins with nobody's home directory; write it out"


def _placed_nodes(manifest: Manifest) -> Iterator[tuple[KeyPath, Node]]:
    for number, node in enumerate(manifest.relaychain.nodes):
        yield ("relaychain", "nodes", number), node
    for number, group in enumerate(manifest.relaychain.node_groups):
        yield from ((("relaychain", "node_groups", number), node) for node in group.nodes())
    seen = set[int]()
    for para_number, para in enumerate(manifest.parachains):
        at: KeyPath = ("parachains", para_number)
        for number, node in enumerate(para.collators):
            yield (*at, "collators", number), node
        for number, group in enumerate(para.collator_groups):
            yield from (((*at, "collator_groups", number), node) for node in group.nodes())
        if para.collator is not None:
            yield (*at, "collator"), para.collator
        elif not para.collators and not para.collator_groups and para.id not in seen:
            yield from ((at, made_up) for made_up in para.all_collators)
        seen.add(para.id)


def _node_mistakes(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    names, ports = dict[str, KeyPath](), dict[int, KeyPath]()
    for at, node in _placed_nodes(manifest):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", node.name):
            yield (*at, "name"), f"{node.name!r} is not a name; use letters, digits, - and _"
        elif node.name.lower() in names:
            yield (*at, "name"), f"{node.name!r} is already the name of {_dotted(names[node.name.lower()])}"
        yield from _role_mistakes(at, node)
        if node.rpc_port and node.rpc_port in ports:
            taken = _dotted(ports[node.rpc_port])
            yield (*at, "rpc_port"), f"{node.rpc_port} is already the port of {taken}; 0 picks a free one"
        names[node.name.lower()] = at
        ports[node.rpc_port] = at


def _role_mistakes(at: KeyPath, node: Node) -> Iterator[tuple[KeyPath, str]]:
    """What a node is told that only a validator can do."""
    is_collator = at[0] == "parachains"
    if is_collator and not node.validator:
        yield (*at, "validator"), "a collator validates nothing in any case; remove the key"
    if node.balance is not None and (is_collator or not node.validator):
        yield (
            (*at, "balance"),
            "only a validator has a stash to hold it; remove the key, or give the balance to an account under "
            "[relaychain.accounts]",
        )

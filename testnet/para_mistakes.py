"""What types cannot say of the parachains of a network file and the channels between them."""

import re
from collections.abc import Iterator

from testnet.manifest import MOST_BALANCE, HrmpChannels, Manifest, Parachain
from testnet.toml_lines import Path as KeyPath

_RUNTIME = re.compile(r"[\w-]+|[\w.]+:\w+|.+\.py:\w+")


def para_mistakes(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with `[[parachains]]`."""
    seen = set[int]()
    for number, para in enumerate(manifest.parachains):
        at: KeyPath = ("parachains", number)
        if para.id in seen:
            yield (*at, "id"), f"two parachains have the id {para.id}"
        seen.add(para.id)
        file, separator, _ = para.runtime.rpartition(":")
        if not _RUNTIME.fullmatch(para.runtime):
            yield (
                (*at, "runtime"),
                f'{para.runtime!r} names no runtime; write "assets", "package.module:Class" or "./file.py:Class"',
            )
        elif separator and file.endswith(".py") and not (manifest.directory / file).is_file():
            yield (*at, "runtime"), f"no file {manifest.directory / file}; the path counts from the network file"
        yield from _asset_mistakes(at, para)


def _asset_mistakes(at: KeyPath, para: Parachain) -> Iterator[tuple[KeyPath, str]]:
    seen = set[int]()
    for number, asset in enumerate(para.assets):
        here: KeyPath = (*at, "assets", number)
        if asset.id in seen:
            yield (*here, "id"), f"two assets of the parachain have the id {asset.id}"
        seen.add(asset.id)
        if asset.min_balance > MOST_BALANCE:
            yield (*here, "min_balance"), f"{asset.min_balance} is too large; at most {MOST_BALANCE}"
        elif asset.balance and not asset.min_balance <= asset.balance <= MOST_BALANCE:
            yield (
                (*here, "balance"),
                f"{asset.balance} is no balance of it; write 0, or from {asset.min_balance} to {MOST_BALANCE}",
            )


def channel_mistakes(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with `[[hrmp_channels]]`."""
    paras = [para.id for para in manifest.parachains]
    opened = set[tuple[int, int]]()
    for number, entry in enumerate(manifest.hrmp_channels):
        at: KeyPath = ("hrmp_channels", number)
        wrong = list(_end_mistakes(entry, paras))
        yield from (((*at, key), message) for key, message in wrong)
        for channel in () if wrong else entry.channels(tuple(paras)):
            pair = (channel.sender, channel.recipient)
            if pair in opened:
                yield at, f"the channel {pair[0]} -> {pair[1]} is already open"
            opened.add(pair)


def _end_mistakes(entry: HrmpChannels, paras: list[int]) -> Iterator[tuple[str, str]]:
    if entry.all:
        if entry.sender is not None or entry.recipient is not None:
            yield "all", "opens every channel; leave out sender and recipient"
        return
    for key, para in (("sender", entry.sender), ("recipient", entry.recipient)):
        if para is None:
            yield key, f"missing; give the id of a parachain, or all = true for every pair ({_listed(paras)})"
        elif para not in paras:
            yield key, f"no parachain has the id {para}; allowed: {_listed(paras)}"
    if entry.sender is not None and entry.sender == entry.recipient:
        yield "recipient", "a parachain needs no channel to itself"


def _listed(paras: list[int]) -> str:
    return ", ".join(map(str, paras)) or "none, there are no parachains"

"""Keys of a local network: the dev accounts, and what nodes sign with."""

from relaychain.node.validator import SessionKeyPairs
from substrate.crypto import ss58
from substrate.crypto.keys import Ed25519Pair, Sr25519Pair, dev_pair
from substrate.errors import ChainError
from substrate.types import AccountId
from testnet.errors import UsageError
from testnet.manifest import Node

DEV_NAMES = ("Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie")
DEV_BALANCE = 1 << 60
"""What each dev account has at genesis: upstream's presets give the same."""


def dev_pairs() -> tuple[Ed25519Pair | Sr25519Pair, ...]:
    """//Alice to //Ferdie, sr25519 and ed25519."""
    return tuple(dev_pair(name, scheme) for scheme in ("sr25519", "ed25519") for name in DEV_NAMES)


def dev_accounts() -> tuple[AccountId, ...]:
    """The accounts of `dev_pairs`."""
    return tuple(AccountId(pair.public) for pair in dev_pairs())


def named_accounts(who: str) -> tuple[AccountId, ...]:
    """Accounts that a network file means by a name (`alice`: both kinds of key) or an ss58 address.

    Raises:
        UsageError: It is neither.
    """
    if who.capitalize() in DEV_NAMES:
        return tuple(AccountId(dev_pair(who.capitalize(), scheme).public) for scheme in ("sr25519", "ed25519"))
    try:
        return (ss58.decode(who),)
    except ChainError as failure:
        names = ", ".join(name.lower() for name in DEV_NAMES)
        raise UsageError(
            f"account {who!r} is neither one of {names} nor an ss58 address: {failure}",
            key=("relaychain", "accounts", who),
        ) from failure


def session_keys(node: Node) -> SessionKeyPairs:
    """A validator's consensus keys: one ed25519 key for all, derived from its name, as upstream's dev chains do."""
    pair = Ed25519Pair.from_uri(node.key_uri)
    return SessionKeyPairs(babe=pair, grandpa=pair, para_validator=pair)


def stash(node: Node) -> AccountId:
    """A validator's account: `//Alice//stash`."""
    return AccountId(Sr25519Pair.from_uri(f"{node.key_uri}//stash").public)


def collator_key(node: Node) -> Ed25519Pair:
    """A collator's Aura key."""
    return Ed25519Pair.from_uri(node.key_uri)

"""Genesis states from a network file."""

from relaychain.primitives.types import ParaId
from relaychain.runtime.genesis import Channel, RelayGenesis, relay_genesis_state, same_key_for_all
from relaychain.runtime.runtime import EXISTENTIAL_DEPOSIT
from relaychain.runtime.xcm_config import CHECK_ACCOUNT, TREASURY
from substrate.trie.trie import Trie
from substrate.types import Balance
from testnet.keys import DEV_BALANCE, dev_accounts, session_keys, stash
from testnet.manifest import Manifest
from testnet.paras import Para


def relay_genesis(manifest: Manifest, paras: tuple[Para, ...]) -> Trie:
    """The relay chain's genesis state."""
    relay = manifest.relaychain
    slot_ms = manifest.block_time_us // 1000
    endowed = {account: Balance(DEV_BALANCE) for account in dev_accounts()}
    endowed[TREASURY] = Balance(EXISTENTIAL_DEPOSIT)  # so that no fee is too small for its account to exist
    teleported = sum(para.teleported_in for para in paras)
    if teleported:
        endowed[CHECK_ACCOUNT] = Balance(teleported)
    for node in relay.validators:
        endowed[stash(node)] = Balance(node.balance if node.balance is not None else relay.default_balance)
    genesis = RelayGenesis(
        slot_duration_ms=slot_ms,
        epoch_slots=relay.epoch_duration.amount,
        validators=tuple((stash(node), same_key_for_all(session_keys(node).babe.public)) for node in relay.validators),
        balances=tuple(endowed.items()),
        sudo=dev_accounts()[0],
        paras=tuple(para.on_relay for para in paras),
        channels=tuple(
            Channel(ParaId(open_.sender), ParaId(open_.recipient), open_.max_capacity, open_.max_message_size)
            for open_ in manifest.channels
        ),
        configuration={"minimum_backing_votes": relay.minimum_backing_votes},
    )
    return relay_genesis_state(genesis)

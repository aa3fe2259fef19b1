"""A small runtime and its chain of blocks, for tests of what stands on a runtime."""

from substrate.block import Block, Digest, Header, extrinsics_root, header_hash
from substrate.crypto.keys import Pair, dev_pair
from substrate.crypto.multi import Id
from substrate.pallets.balances import Balances
from substrate.pallets.sudo import Sudo
from substrate.pallets.system import System
from substrate.pallets.timestamp import Timestamp
from substrate.pallets.transaction_payment import TransactionPayment
from substrate.pallets.utility import Utility
from substrate.runtime.apis import ChainRuntime
from substrate.runtime.assembly import mount
from substrate.runtime.executive import BlockBuilder, Built
from substrate.runtime.extrinsic import Signing, sign_extrinsic
from substrate.runtime.outer_enums import RuntimeCall
from substrate.runtime.version import RuntimeVersion
from substrate.trie.trie import Trie
from substrate.types import AccountId, Balance, BlockNumber, Hash

UNIT = 1_000_000_000_000
ALICE, BOB = dev_pair("Alice", "sr25519"), dev_pair("Bob", "ed25519")
FERDIE = dev_pair("Ferdie", "ed25519")


def account(pair: Pair) -> AccountId:
    return AccountId(pair.public)


class MiniRuntime(ChainRuntime):
    version = RuntimeVersion("mini", "mini", 1, 3, 1, (), 2, 1)
    crate = "mini_runtime"
    system: System = mount(0)
    timestamp: Timestamp = mount(2)
    balances: Balances = mount(4, existential_deposit=Balance(UNIT // 1000))
    transaction_payment: TransactionPayment = mount(5)
    utility: Utility = mount(6)
    sudo: Sudo = mount(7)


def genesis_state() -> Trie:
    config = {
        "balances": {"balances": [(account(ALICE), 10 * UNIT), (account(BOB), 10 * UNIT)]},
        "sudo": {"key": account(ALICE)},
    }
    return MiniRuntime.genesis(config, code=b"mini")


def genesis_header(state: Trie) -> Header:
    return Header(Hash(bytes(32)), BlockNumber(0), Hash(state.root), extrinsics_root(()), Digest(()))


def transfer(to: Pair, amount: int) -> RuntimeCall:
    return MiniRuntime.call_named("Balances.transfer_keep_alive", dest=Id(account(to)), value=amount)


class MiniChain:
    """Blocks on a MiniRuntime, one after the other."""

    def __init__(self) -> None:
        self.state = genesis_state()
        self.header = genesis_header(self.state)
        self.genesis = header_hash(self.header)
        self.blocks: list[Block] = []

    def sign(self, pair: Pair, call: RuntimeCall, nonce: int, **options: object) -> bytes:
        signing = Signing(3, 2, self.genesis, self.genesis)
        return sign_extrinsic(MiniRuntime.encode_call(call), pair, nonce=nonce, signing=signing, **options)  # pyright: ignore[reportArgumentType]

    def builder(self) -> BlockBuilder:
        builder = BlockBuilder(MiniRuntime, self.state, self.header, ())
        moment = (self.header.number + 1) * 6000
        builder.inherents({b"timstap0": moment.to_bytes(8, "little")})
        return builder

    def adopt(self, built: Built) -> Built:
        self.state, self.header = built.executed.state, built.block.header
        self.blocks.append(built.block)
        return built

    def block(self, *extrinsics: bytes) -> Built:
        builder = self.builder()
        for raw in extrinsics:
            builder.push(raw)
        return self.adopt(builder.build())

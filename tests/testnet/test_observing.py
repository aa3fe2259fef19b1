"""Blocks as rows: what an extrinsic failed with is a name that people can look up."""

import pytest

from parachains.sdk.plugin import Parachain
from substrate.runtime.dispatch import (
    BadOrigin,
    DispatchError,
    Module,
    ModuleErrorValue,
    Token,
    TokenError,
    Transactional,
    TransactionalError,
)
from testnet.bundler import NodeBundler
from testnet.manifest import demo_manifest_path
from testnet.manifest_reader import load_manifest
from testnet.observing import error_text
from testnet.paras import load_paras


@pytest.fixture(scope="module")
def bazaar() -> type[Parachain]:
    kind = load_paras(load_manifest(demo_manifest_path()), NodeBundler())[1].level_one
    assert kind is not None
    return kind


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (BadOrigin(), "BadOrigin"),
        (Token(TokenError.FundsUnavailable), "Token.FundsUnavailable"),
        (Transactional(TransactionalError.NoLayer), "Transactional.NoLayer"),
        (Module(ModuleErrorValue(50, bytes(4))), "Bazaar.Taken"),
        (Module(ModuleErrorValue(50, b"\xff\0\0\0")), "Bazaar.255"),
        (Module(ModuleErrorValue(49, bytes(4))), "49.0"),
        (Module(ModuleErrorValue(10, bytes([2, 0, 0, 0]))), "Balances.InsufficientBalance"),
    ],
)
def test_an_error_has_its_pallets_and_its_own_name(bazaar: type[Parachain], error: DispatchError, text: str) -> None:
    assert error_text(bazaar.runtime(), error) == text

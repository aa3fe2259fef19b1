"""Sudo: one account that may act as root.

Source: polkadot-sdk, `substrate/frame/sudo/src/lib.rs`.
"""

from collections.abc import Mapping
from typing import Any

from substrate.crypto.multi import MultiAddress
from substrate.pallets.lookup import lookup
from substrate.runtime.dispatch import DispatchClass, DispatchError, DispatchFailure, Pays, PostInfo
from substrate.runtime.origin import AnyOrigin, Origin, RawRoot, RawSigned
from substrate.runtime.outer_enums import RuntimeCall
from substrate.runtime.pallet import Error, Event, Pallet, call
from substrate.runtime.storage import StorageValue, storage_value
from substrate.scale.types import Err, Ok, Result
from substrate.types import AccountId, Weight

BASE = Weight(12_000_000, 1_505)
SET_KEY = Weight(11_000_000, 1_505)
FREE = PostInfo(None, Pays.No)


def _call_weight(pallet: Pallet, call: RuntimeCall) -> tuple[Weight, DispatchClass]:
    info = pallet.runtime.dispatch_info(call)
    return BASE + info.weight, info.class_


def _as_weight(pallet: Pallet, _who: MultiAddress, call: RuntimeCall) -> tuple[Weight, DispatchClass]:
    return _call_weight(pallet, call)


def _given_weight(pallet: Pallet, call: RuntimeCall, weight: Weight) -> tuple[Weight, DispatchClass]:
    return weight, pallet.runtime.dispatch_info(call).class_


class Sudo(Pallet):
    """The sudo key and what it may do."""

    key: StorageValue[AccountId | None] = storage_value()

    class Sudid(Event):
        """A sudo call just took place."""

        sudo_result: Result[None, DispatchError]

    class KeyChanged(Event):
        """The sudo key has been updated."""

        old: AccountId | None
        new: AccountId

    class KeyRemoved(Event):
        """The key was permanently removed."""

    class SudoAsDone(Event):
        """A `sudo_as` call just took place."""

        sudo_result: Result[None, DispatchError]

    class RequireSudo(Error):
        """Sender must be the Sudo account."""

    def genesis(self, config: Mapping[str, Any]) -> None:
        """Takes `{"key": account}`."""
        super().genesis({name: value for name, value in config.items() if name != "key"})
        if config.get("key") is not None:
            self.key.put(AccountId(config["key"]))

    @call(0, weight=_call_weight)
    def sudo(self, origin: AnyOrigin, call: RuntimeCall) -> PostInfo:
        """Dispatch a call with root origin."""
        self._require(origin)
        self.deposit_event(self.Sudid(sudo_result=self._run(call, RawRoot())))
        return FREE

    @call(1, weight=_given_weight)
    def sudo_unchecked_weight(self, origin: AnyOrigin, call: RuntimeCall, weight: Weight) -> PostInfo:
        """Dispatch a call with root origin and a weight given in place of its own."""
        self._require(origin)
        self.deposit_event(self.Sudid(sudo_result=self._run(call, RawRoot())))
        return FREE

    @call(2, weight=SET_KEY)
    def set_key(self, origin: AnyOrigin, new: MultiAddress) -> PostInfo:
        """Hand the sudo key over."""
        self._require(origin)
        old, key = self.key.get(), lookup(new)
        self.key.put(key)
        self.deposit_event(self.KeyChanged(old=old, new=key))
        return FREE

    @call(3, weight=_as_weight)
    def sudo_as(self, origin: AnyOrigin, who: MultiAddress, call: RuntimeCall) -> PostInfo:
        """Dispatch a call with the signed origin of an account."""
        self._require(origin)
        self.deposit_event(self.SudoAsDone(sudo_result=self._run(call, RawSigned(lookup(who)))))
        return FREE

    @call(4, weight=SET_KEY)
    def remove_key(self, origin: AnyOrigin) -> PostInfo:
        """Remove the sudo key for good."""
        self._require(origin)
        self.key.kill()
        self.deposit_event(self.KeyRemoved())
        return FREE

    def _require(self, origin: Origin) -> None:
        if isinstance(origin, RawRoot):
            return
        if not isinstance(origin, RawSigned) or origin.who != self.key.get():
            raise self.RequireSudo

    def _run(self, call: RuntimeCall, origin: Origin) -> Result[None, DispatchError]:
        try:
            self.runtime.dispatch(call, origin)
        except DispatchFailure as failure:
            return Err(failure.error)
        return Ok(None)

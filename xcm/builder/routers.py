"""Routers: how messages leave.

Source: polkadot-sdk, `polkadot/xcm/xcm-builder/src/routing.rs`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from substrate.errors import ChainError
from xcm.asset import Assets
from xcm.executor.config import Router, Ticket
from xcm.instruction import SetTopic, Xcm
from xcm.location import Location
from xcm.message import topic_of
from xcm.outcome import SendError, SendFailure
from xcm.versions.versioned import check_is_decodable


@dataclass(frozen=True)
class NamedTicket:
    """A ticket for a message whose id is its topic."""

    inner: Ticket
    topic: bytes

    @property
    def price(self) -> Assets:
        return self.inner.price

    def deliver(self) -> bytes:
        self.inner.deliver()
        return self.topic


@dataclass(frozen=True)
class WithUniqueTopic:
    """Gives a message without a topic one, and makes the topic its id; refuses what no one could decode.

    Upstream turns every error of the inner router into `NotApplicable`; here its reason is kept. Whether a message can
    be decoded each of upstream's routers checks for itself.
    """

    inner: Router
    unique: Callable[[Xcm], bytes]
    """A name that no other message has."""

    def validate(self, dest: Location, message: Xcm) -> Ticket:
        topic = topic_of(message)
        if topic is None:
            topic = self.unique(message)
            message = Xcm((*message, SetTopic(topic)))
        try:
            check_is_decodable(message)
        except ChainError as failure:
            raise SendFailure(SendError.ExceedsMaxMessageSize, str(failure)) from failure
        return NamedTicket(self.inner.validate(dest, message), topic)


@dataclass(frozen=True)
class FirstRouter:
    """The first router that a destination belongs to sends."""

    routers: tuple[Router, ...]

    def validate(self, dest: Location, message: Xcm) -> Ticket:
        for router in self.routers:
            try:
                return router.validate(dest, message)
            except SendFailure as failure:
                if failure.error is not SendError.NotApplicable:
                    raise
        raise SendFailure(SendError.NotApplicable, f"no router for {dest}")

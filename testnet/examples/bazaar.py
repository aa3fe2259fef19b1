"""A parachain in one file: a marketplace for numbered items."""

from parachains.sdk.plugin import AccountId, Balance, Error, Event, Parachain, Signed, StorageMap, call, u32


class Bazaar(Parachain, symbol="BZR", decimals=12):
    """Sell numbered items for native tokens."""

    owner: StorageMap[u32, AccountId]
    price: StorageMap[u32, Balance]

    class Listed(Event):
        """An item is for sale."""

        item: u32
        owner: AccountId
        price: Balance

    class Sold(Event):
        """An item changed hands."""

        item: u32
        buyer: AccountId

    class Taken(Error):
        """The item number is already in use."""

    class NotForSale(Error):
        """No such item is for sale."""

    @call
    def offer(self, origin: Signed, item: u32, price: Balance) -> None:
        """Put an item on the market."""
        if self.owner.get(item) not in (None, origin):
            raise self.Taken
        self.owner[item], self.price[item] = origin, price
        self.emit(self.Listed(item, origin, price))

    @call
    def buy(self, origin: Signed, item: u32) -> None:
        """Buy an item at its price."""
        price, seller = self.price.pop(item), self.owner.get(item)
        if price is None or seller is None:
            raise self.NotForSale
        self.balances.transfer(origin, seller, price)
        self.owner[item] = origin
        self.emit(self.Sold(item, origin))

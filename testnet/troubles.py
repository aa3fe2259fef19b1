"""The first refusal and the first fault of each kind, for people who wonder why a chain stands still."""

from testnet.manifest import Manifest
from testnet.places import RELAY
from testnet.record import Value


class Troubles:
    """Listens to a record; `new` tells each kind once for each chain: all of them are in the record."""

    def __init__(self, manifest: Manifest) -> None:
        self._chains = {node.name: str(para.id) for para in manifest.parachains for node in para.all_collators}
        self._seen: set[tuple[str, str, str]] = set()
        self._new: list[str] = []

    def take(self, table: str, row: dict[str, Value]) -> None:
        """Note a row, if it is one of trouble."""
        if table == "refusals":
            what = f"candidate {str(row['candidate'])[:10]} refused by {row['node']}: {row['check']}: {row['detail']}"
            self._note("refusal", str(row["para_id"]), str(row["check"]), what)
        elif table == "faults":
            node, kind = str(row["node"]), str(row["kind"])
            self._note("fault", self._chains.get(node, RELAY), kind, f"fault at {node}: {kind}: {row['detail']}")

    def new(self) -> list[str]:
        """What came since the last call."""
        found, self._new = self._new, []
        return found

    def _note(self, what: str, chain: str, kind: str, text: str) -> None:
        if (what, chain, kind) not in self._seen:
            self._seen.add((what, chain, kind))
            self._new.append(f"{chain}: {text}")

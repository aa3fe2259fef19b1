"""What a finished run shows of its messages: a stage table, a summary by channel, traps."""

from typing import Any, cast

import pandas as pd

from testnet.analysis import Run
from testnet.launch import View
from testnet.places import Naming, decimal

Row = dict[str, Any]
STAGES = ("sent", "routed", "executed", "final")


class _Report:
    """What happened to each message, found by its id and destination."""

    def __init__(self, run: Run, naming: Naming) -> None:
        self._naming = naming
        self._hops: dict[tuple[str, str], dict[str, Row]] = {}
        for hop in _records(run.hops):
            self._hops.setdefault((hop["message_id"], hop["dest"]), {}).setdefault(hop["stage"], hop)
        self._legs: dict[str, set[tuple[str, str]]] = {}
        for message in _records(run.messages):
            self._legs.setdefault(message["message_id"], set()).add((message["origin"], message["dest"]))
        self._assets: dict[tuple[str, str], list[Row]] = {}
        for row in _records(run.assets):
            self._assets.setdefault((row["message_id"], row["chain"]), []).append(row)

    def row(self, message: Row) -> tuple[object, ...]:
        """A line of the stage table."""
        key = (message["message_id"], message["dest"])
        hops = self._hops.get(key, {})
        routed, executed = (_stage(hops.get(stage), message["sent_at"]) for stage in ("routed", "executed"))
        status = str(message["status"])
        if not pd.isna(message["error"]):
            where = "barrier" if pd.isna(message["error_instruction"]) else message["error_instruction"]
            status += f": {where} {message['error']}"
        return (
            _short(message["message_id"]),
            message["origin"],
            message["dest"],
            self._amounts(key, "minted", "withdrawn", "claimed"),
            f"#{message['sent_block']}",
            routed,
            executed,
            _seconds(message["latency_final"], "+"),
            status,
            self._fees(message, key),
        )

    def _amounts(self, key: tuple[str, str], *roles: str) -> str:
        return ", ".join(_amount(row) for row in self._assets.get(key, ()) if row["role"] in roles)

    def _fees(self, message: Row, key: tuple[str, str]) -> str:
        """What the sender paid for the transaction and delivery, and what execution took."""
        paid = sum(int(message[name]) for name in ("fee_tx", "fee_delivery") if message[name] is not None)
        execution = self._amounts(key, "fee")
        sending = native_text(self._naming, message["origin"], paid)
        return f"{sending} + {execution}" if execution else sending

    def channels(self, summary: pd.DataFrame) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """`Run.summary` with amounts in tokens."""
        rows: list[tuple[object, ...]] = []
        for row in _records(summary):
            origin, dest = row["origin"], row["dest"]
            values: list[object] = [_seconds(item) if isinstance(item, pd.Timedelta) else item for item in row.values()]
            sending = (native_text(self._naming, origin, row[name]) for name in ("fee_tx", "fee_delivery"))
            rows.append((*values[:-3], *sending, self._executing(origin, dest)))
        return tuple(map(str, summary.columns)), rows

    def _executing(self, origin: str, dest: str) -> str:
        """What execution at the destination took, by token."""
        totals: dict[tuple[str, Any, Any], int] = {}
        for (message, chain), rows in self._assets.items():
            if (origin, chain) not in self._legs.get(message, ()) or chain != dest:
                continue
            for row in rows:
                if row["role"] == "fee":
                    key = (row["asset"], row["symbol"], row["decimals"])
                    totals[key] = totals.get(key, 0) + row["amount_raw"]
        names = ("asset", "symbol", "decimals")
        return ", ".join(
            _amount({**dict(zip(names, key, strict=True)), "amount_raw": sum_}) for key, sum_ in totals.items()
        )


def show_messages(run: Run, view: View, naming: Naming) -> None:
    """Every message with the block of each stage, then the channels, then what is trapped."""
    report = _Report(run, naming)
    columns = ("message", "from", "to", "moves", *STAGES, "status", "fees")
    messages = _records(run.messages.sort_values(["sent_at", "origin", "dest", "message_id"]))
    view.table("messages: block and seconds since sending", columns, [report.row(message) for message in messages])
    view.table("messages by channel, latency until final (pandas)", *report.channels(run.summary(until="final")))
    trapped = [
        (_short(row["message_id"]), row["chain"], _short(row["origin"]), row["assets"], _at(row["claimed_at"]))
        for row in _records(run.trapped)
    ]
    if trapped:
        view.table("trapped assets", ("message", "on", "for", "assets", "claimed"), trapped)


def _records(frame: pd.DataFrame) -> list[Row]:
    return cast("list[Row]", frame.to_dict("records"))


def _amount(row: Row) -> str:
    if pd.isna(row["decimals"]):
        return f"{row['amount_raw']} of {row['asset']}"
    return f"{decimal(row['amount_raw'], row['decimals'])} {row['symbol']}"


def native_text(naming: Naming, chain: str, amount: int) -> str:
    """An amount of a chain's native token."""
    token = naming.native(chain)
    return str(amount) if token is None else f"{decimal(amount, token.decimals)} {token.symbol}"


def _stage(hop: Row | None, since: Any) -> str:
    return "-" if hop is None else f"#{hop['block']} {_seconds(hop['at'] - since, '+')}"


def _seconds(span: Any, sign: str = "") -> str:
    return "-" if pd.isna(span) else f"{sign}{span.total_seconds():.1f} s"


def _at(moment: Any) -> str:
    return "no" if pd.isna(moment) else f"{moment:%H:%M:%S.%f}"[:-3]


def _short(text: Any) -> str:
    whole = str(text)
    return f"{whole[:8]}..{whole[-4:]}" if whole.startswith("0x") and len(whole) > 14 else whole

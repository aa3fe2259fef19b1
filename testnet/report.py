"""What a finished run shows of its messages: a stage table, failures, latency and fees by channel, traps."""

import json
from typing import Any, cast

import pandas as pd

from testnet.analysis import Paid, Run, execution_fees
from testnet.launch import View
from testnet.places import RELAY, Naming, place_text

Row = dict[str, Any]
DIGITS = 6
"""Fees are shown rounded up to so many; the record has them exactly."""
COLUMNS = (
    "message",
    "from",
    "to",
    "moves",
    "sent",
    "routed",
    "executed",
    "final",
    "status",
    "fees (sender's + execution's)",
)


class _Report:
    """What happened to each message, found by its id and destination."""

    def __init__(self, run: Run, naming: Naming) -> None:
        self._naming = naming
        self._hops: dict[tuple[str, str], dict[str, Row]] = {}
        for hop in _records(run.hops):
            self._hops.setdefault((hop["message_id"], hop["dest"]), {}).setdefault(hop["stage"], hop)
        self._assets: dict[tuple[str, str], list[Row]] = {}
        for row in _records(run.assets):
            self._assets.setdefault((row["message_id"], row["chain"]), []).append(row)

    def row(self, message: Row) -> tuple[object, ...]:
        """A line of the stage table."""
        key = (message["message_id"], message["dest"])
        hops = self._hops.get(key, {})
        routed, executed = (_stage(hops.get(stage), message["sent_at"]) for stage in ("routed", "executed"))
        return (
            _short(message["message_id"]),
            message["origin"],
            message["dest"],
            self._amounts(key, "minted", "withdrawn", "claimed"),
            _block(message["origin"], message["sent_block"]),
            routed,
            executed,
            _seconds(message["latency_final"], "+"),
            str(message["status"]),
            self._fees(message, key),
        )

    def _amounts(self, key: tuple[str, str], *roles: str, digits: int | None = None) -> str:
        return ", ".join(_paid(row).text(digits) for row in self._assets.get(key, ()) if row["role"] in roles)

    def _fees(self, message: Row, key: tuple[str, str]) -> str:
        """What the sender paid for the transaction and delivery, and what execution took."""
        paid = sum(int(message[name]) for name in ("fee_tx", "fee_delivery") if message[name] is not None)
        execution = self._amounts(key, "fee", digits=DIGITS)
        sending = native_text(self._naming, message["origin"], paid)
        return f"{sending} + {execution}" if execution else sending

    def trap(self, row: Row) -> tuple[object, ...]:
        """A line of the table of traps."""
        assets = ", ".join(self._asset_text(name, fun) for name, fun in json.loads(row["assets"]))
        return (_short(row["message_id"]), row["chain"], _short(row["origin"]), assets, _at(row["claimed_at"]))

    def _asset_text(self, name: str, fun: Any) -> str:
        token = next((each for place, each in self._naming.tokens.items() if place_text(place) == name), None)
        if "Fungible" not in fun:
            return f"{fun} of {name}"
        return Paid(name, token and token.symbol, token and token.decimals, int(fun["Fungible"])).text()


def show_messages(run: Run, view: View, naming: Naming) -> None:
    """Every message with the block of each stage, then what failed, then the channels, then what is trapped."""
    report = _Report(run, naming)
    messages = _records(run.messages.sort_values(["sent_at", "origin", "dest", "message_id"]))
    title = "messages: block of each stage (r: relay chain), seconds since sending"
    view.table(title, COLUMNS, [report.row(message) for message in messages])
    failed = [_failure(message) for message in messages if not pd.isna(message["error"])]
    if failed:
        view.table("messages that failed", ("message", "from", "to", "at", "error"), failed)
    summary = run.summary(until="final")
    view.table("messages by channel, seconds until final (pandas)", *_latencies(summary))
    view.table("fees by channel: paid for transactions, for delivery, for execution", *_fees(run, naming, summary))
    trapped = [report.trap(row) for row in _records(run.trapped)]
    if trapped:
        view.table("trapped assets", ("message", "on", "for", "assets", "claimed"), trapped)


def _failure(message: Row) -> tuple[object, ...]:
    step = f"{message['error_index']} {message['error_instruction']}"
    where = "barrier" if pd.isna(message["error_instruction"]) else step
    return (_short(message["message_id"]), message["origin"], message["dest"], where, message["error"])


def _latencies(summary: pd.DataFrame) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """`Run.summary` without its fees."""
    shown = summary.drop(columns=[name for name in summary.columns if name.startswith("fee_")])
    rows: list[tuple[object, ...]] = [
        tuple(_seconds(item) if isinstance(item, pd.Timedelta) else item for item in row.values())
        for row in _records(shown)
    ]
    return tuple(map(str, shown.columns)), rows


def _fees(run: Run, naming: Naming, summary: pd.DataFrame) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """The fees of `Run.summary`, rounded."""
    executing = execution_fees(run)
    rows: list[tuple[object, ...]] = []
    for row in _records(summary):
        channel = (row["origin"], row["dest"])
        sending = (native_text(naming, row["origin"], row[name]) for name in ("fee_tx", "fee_delivery"))
        rows.append((*channel, *sending, ", ".join(paid.text(DIGITS) for paid in executing.get(channel, ()))))
    return ("origin", "dest", "fee_tx", "fee_delivery", "fee_execution"), rows


def _records(frame: pd.DataFrame) -> list[Row]:
    return cast("list[Row]", frame.to_dict("records"))


def _paid(row: Row) -> Paid:
    if pd.isna(row["decimals"]):
        return Paid(row["asset"], None, None, row["amount_raw"])
    return Paid(row["asset"], row["symbol"], row["decimals"], row["amount_raw"])


def native_text(naming: Naming, chain: str, amount: int) -> str:
    """An amount of a chain's native token, rounded."""
    token = naming.native(chain)
    return str(amount) if token is None else Paid(chain, token.symbol, token.decimals, amount).text(DIGITS)


def _block(chain: str, number: int) -> str:
    return f"r{number}" if chain == RELAY else str(number)


def _stage(hop: Row | None, since: Any) -> str:
    return "-" if hop is None else f"{_block(hop['chain'], hop['block'])} {_seconds(hop['at'] - since, '+')}"


def _seconds(span: Any, sign: str = "") -> str:
    return "-" if pd.isna(span) else f"{sign}{span.total_seconds():.1f}"


def _at(moment: Any) -> str:
    return "no" if pd.isna(moment) else f"{moment:%H:%M:%S}"


def _short(text: Any) -> str:
    whole = str(text)
    return whole[:8] if whole.startswith("0x") and len(whole) > 14 else whole

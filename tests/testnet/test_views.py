"""Progress for people and for programs."""

import io
import json

from rich.console import Console

from testnet.launch import ChainStatus, View
from testnet.views import JsonView, PlainView, RichView, open_view

CHAINS = [ChainStatus("relay", 5, 3, "ws://127.0.0.1:9944"), ChainStatus("assets", 2, 1, None, 1000)]


def speak(view: View) -> None:
    view.keep_time(lambda: 1.5)
    view.step("sent 5 UNIT", to="bazaar [x]", fee_planck=2**70)
    view.chains(CHAINS)
    view.table("messages", ["origin", "n"], [["assets", 40], ["relay", 1]])
    view.summary(conserved="yes", digest="0x12")
    view.close()


def test_json_is_one_object_a_line() -> None:
    out = io.StringIO()
    view = open_view(as_json=True, out=out)
    assert isinstance(view, JsonView)
    speak(view)

    step, chains, table, summary = map(json.loads, out.getvalue().splitlines())
    assert step.pop("seconds") == 1.5
    assert step == {"event": "step", "text": "sent 5 UNIT", "to": "bazaar [x]", "fee_planck": 2**70}
    assert chains["chains"][1] == {"name": "assets", "best": 2, "final": 1, "rpc_url": None, "para_id": 1000}
    assert table["rows"] == [{"origin": "assets", "n": 40}, {"origin": "relay", "n": 1}]
    assert summary == {"event": "summary", "conserved": "yes", "digest": "0x12"}


def test_without_a_terminal_it_is_plain_lines() -> None:
    out = io.StringIO()
    view = open_view(as_json=False, out=out)
    assert isinstance(view, PlainView)
    speak(view)

    lines = out.getvalue().splitlines()
    assert lines[0] == f"   1.50 s  sent 5 UNIT  to bazaar [x]  fee planck {2**70}"
    assert lines[2:6] == ["messages", "  origin  n", "  assets  40", "  relay   1"]
    assert lines[7:] == ["conserved:  yes", "digest:     0x12"]
    assert "\x1b" not in out.getvalue()


def test_a_terminal_has_a_live_table() -> None:
    out = io.StringIO()
    speak(RichView(Console(file=out, force_terminal=True, width=100)))

    assert "bazaar [x]" in out.getvalue()
    assert "ws://127.0.0.1:9944" in out.getvalue()
    assert "1000 assets" in out.getvalue()
    assert "conserved:  yes" in out.getvalue()


def test_a_narrow_terminal_leaves_the_last_columns_out_and_says_so() -> None:
    out = io.StringIO()
    view = RichView(Console(file=out, width=20))
    view.table("messages", ["from", "to", "status", "fees"], [["relay", "1000", "final", "0.5 UNIT"]])

    assert [line.rstrip() for line in out.getvalue().splitlines()[1:]] == [
        "messages (no room",
        "here for fees)",
        "from   to    status",
        "relay  1000  final",
    ]


def test_a_step_is_one_line_to_copy_however_narrow_the_terminal() -> None:
    out = io.StringIO()
    RichView(Console(file=out, width=20)).step("claim", call="0x" + "ab" * 40)

    assert "claim  call 0x" + "ab" * 40 + "\n" in out.getvalue()

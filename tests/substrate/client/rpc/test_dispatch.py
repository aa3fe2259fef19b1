"""JSON-RPC text: requests, batches, errors, subscriptions."""

import json
from typing import Any

import pytest

from substrate.client.rpc.dispatch import Cancel, RpcDispatcher, RpcLimits, Session, Sink, rpc, subscription
from substrate.client.rpc.errors import RpcError
from substrate.types import Hash


class Group:
    def __init__(self) -> None:
        self.sinks: list[Sink] = []
        self.ended = 0

    @rpc("echo", "echo_alias")
    def echo(self, data: bytes, at: Hash | None = None, count: int = 3, keys: tuple[bytes, ...] = ()) -> list[Any]:
        return [data.hex(), None if at is None else at.hex(), count, len(keys)]

    @rpc("crash")
    def crash(self) -> None:
        raise KeyError("lost")

    @rpc("big")
    def big(self, size: int) -> str:
        return "x" * size

    @subscription("sub", notify="note", unsubscribe=("unsub",))
    def sub(self, sink: Sink, first: str) -> Cancel:
        self.sinks.append(sink)
        sink.send(first)

        def cancel() -> None:
            self.ended += 1

        return cancel


LIMITS = RpcLimits(request_bytes=1000, response_bytes=500, batch_count=3, subscriptions=2)


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.fixture
def dispatcher(group: Group) -> RpcDispatcher:
    made = RpcDispatcher(LIMITS)
    made.add(group)
    return made


def ask(dispatcher: RpcDispatcher, message: object) -> Any:
    text = message if isinstance(message, str | bytes) else json.dumps(message)
    answer = Session(dispatcher, lambda _: None).answer(text)
    return None if answer is None else json.loads(answer)


def request(method: str, params: object = None, **extra: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **extra}


@pytest.mark.parametrize("params", [["0x01"], ["0x01", None], ["01", None, None, None], {"data": "0x01"}])
def test_null_and_absent_parameters_are_defaults(dispatcher: RpcDispatcher, params: object) -> None:
    assert ask(dispatcher, request("echo", params)) == {"jsonrpc": "2.0", "id": 1, "result": ["01", None, 3, 0]}


@pytest.mark.parametrize(
    "message",
    [request("rpc_methods"), request("rpc_methods", []), {"jsonrpc": "2.0", "id": 1, "method": "rpc_methods"}],
)
def test_a_method_without_parameters_takes_null_empty_and_none(dispatcher: RpcDispatcher, message: object) -> None:
    methods = ["big", "crash", "echo", "echo_alias", "rpc_methods", "sub", "unsub"]
    assert ask(dispatcher, message)["result"] == {"methods": methods}


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ([], "missing parameter `data`"),
        (["0xzz"], "`data`: '0xzz' is not hex"),
        ([5], "`data`: expected a hex string"),
        (["0x", "0x1234"], "`at`: a hash has 32 bytes, this one 2"),
        (["0x", None, -1], "`count`: expected an unsigned integer"),
        (["0x", None, True], "`count`: expected an unsigned integer"),
        (["0x", None, 1, "0x"], "`keys`: expected a list"),
        (["0x", None, 1, [], 9], "expected at most 4 parameters, got 5"),
        ("0x", "params must be a list or an object"),
    ],
)
def test_bad_parameters_are_named(dispatcher: RpcDispatcher, params: object, reason: str) -> None:
    error = ask(dispatcher, request("echo", params))["error"]
    assert error == {"code": -32602, "message": f"Invalid params: {reason}", "data": reason}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", -32700),
        (b"\xff", -32700),
        ("[" * 900, -32700),
        ("5", -32600),
        ("[]", -32600),
        ('{"id": 1, "method": "echo"}', -32600),
        ('{"jsonrpc": "2.0", "id": 1, "method": 5}', -32600),
        ('{"jsonrpc": "2.0", "id": {}, "method": "echo"}', -32600),
        ('{"jsonrpc": "2.0", "id": 1, "method": "nope"}', -32601),
        ('{"jsonrpc": "2.0", "id": 1, "method": "crash"}', -32603),
        ('{"jsonrpc": "2.0", "id": 1, "method": "big", "params": [1000]}', -32008),
        ('"' + "x" * 1000 + '"', -32007),
        ("[1, 2, 3, 4]", -32010),
    ],
)
def test_error_codes(dispatcher: RpcDispatcher, text: str | bytes, code: int) -> None:
    assert ask(dispatcher, text)["error"]["code"] == code


def test_a_batch_is_answered_in_order_without_its_notifications(dispatcher: RpcDispatcher) -> None:
    silent = {"jsonrpc": "2.0", "method": "echo", "params": ["0x"]}
    batch = [request("echo", ["0x01"], id="a"), silent, request("nope", id=None)]

    answers = ask(dispatcher, batch)

    assert [(each["id"], "error" in each) for each in answers] == [("a", False), (None, True)]
    assert ask(dispatcher, [silent]) is None


def test_the_response_comes_before_the_first_notification(dispatcher: RpcDispatcher, group: Group) -> None:
    sent: list[Any] = []
    session = Session(dispatcher, lambda data: sent.append(json.loads(data)))

    session.receive(json.dumps([request("sub", ["hello"])]))
    group.sinks[0].send("again")

    identifier = sent[0][0]["result"]
    assert isinstance(identifier, str)
    assert [each["params"] for each in sent[1:]] == [
        {"subscription": identifier, "result": "hello"},
        {"subscription": identifier, "result": "again"},
    ]
    assert all("id" not in each and each["method"] == "note" for each in sent[1:])


def test_unsubscribing_and_closing_end_the_source(dispatcher: RpcDispatcher, group: Group) -> None:
    sent: list[Any] = []
    session = Session(dispatcher, lambda data: sent.append(json.loads(data)))
    for _ in range(3):
        session.receive(json.dumps(request("sub", ["x"])))
    assert [each["error"]["code"] for each in sent if "error" in each] == [-32006]
    first = sent[0]["result"]
    session.receive(json.dumps(request("unsub", [first])))
    session.receive(json.dumps(request("unsub", [first])))
    session.receive(json.dumps(request("unsub", [5])))
    assert [sent[-3]["result"], sent[-2]["result"], sent[-1]["error"]["code"]] == [True, False, -32602]
    count = len(sent)
    session.close()
    for sink in group.sinks:
        sink.send("late")

    assert group.ended == 2
    assert len(sent) == count


def test_a_last_notification_frees_its_place(dispatcher: RpcDispatcher, group: Group) -> None:
    sent: list[Any] = []
    session = Session(dispatcher, lambda data: sent.append(json.loads(data)))
    for _ in range(5):
        session.receive(json.dumps(request("sub", ["x"])))
        group.sinks[-1].send("end", is_last=True)

    assert not [each for each in sent if "error" in each]


def test_single_answers_have_no_subscriptions(dispatcher: RpcDispatcher) -> None:
    answer = Session(dispatcher).answer(json.dumps(request("sub", ["x"])))
    assert answer is not None
    assert json.loads(answer)["error"]["code"] == -32601


def test_calls_in_process_raise_what_a_client_would_see(dispatcher: RpcDispatcher) -> None:
    assert dispatcher.call("echo", ["0x05"])[0] == "05"
    with pytest.raises(RpcError) as error:
        dispatcher.call("nope")
    assert error.value.code == -32601

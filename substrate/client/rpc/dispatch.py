"""JSON-RPC 2.0 without a socket: methods, subscriptions, batches.

A dispatcher answers in process (`call`, `subscribe`); a `Session` adds the text form and is what a server gives each
connection.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import msgspec

from substrate.client.rpc.errors import Code, RpcError, from_chain_error, invalid_params
from substrate.client.rpc.params import Parameter, bind, parameters_of
from substrate.errors import ChainError

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])
Cancel = Callable[[], None]
_MARK = "__rpc__"


class RpcLimits(msgspec.Struct, frozen=True):
    """Bounds on what one client may ask; upstream's defaults where it has them."""

    request_bytes: int = 15 << 20
    response_bytes: int = 15 << 20
    batch_count: int = 1000
    subscriptions: int = 1024
    queue_count: int = 4096
    """Messages waiting for a slow client before it is disconnected."""
    queue_bytes: int = 64 << 20


class _Declared(msgspec.Struct, frozen=True):
    names: tuple[str, ...]
    notify: str = ""
    unsubscribe: tuple[str, ...] = ()


def rpc(*names: str) -> Callable[[F], F]:
    """Mark a method as an RPC method with a name and aliases."""
    return _marker(_Declared(names))


def subscription(*names: str, notify: str, unsubscribe: tuple[str, ...]) -> Callable[[F], F]:
    """Mark a method `(self, sink, ...) -> Cancel` as a subscription."""
    return _marker(_Declared(names, notify, unsubscribe))


def _marker(declared: _Declared) -> Callable[[F], F]:
    def mark(method: F) -> F:
        setattr(method, _MARK, declared)
        return method

    return mark


class Sink:
    """Where a subscription sends its notifications; they wait until the client knows the subscription's id."""

    def __init__(self, identifier: str, notify: str, deliver: Callable[["Sink", object], None]) -> None:
        self.id = identifier
        self.notify = notify
        self.cancel: Cancel | None = None
        self.is_finished = False
        """Whether the notification being delivered is the last one."""
        self._deliver = deliver
        self._waiting: list[tuple[object, bool]] | None = []

    def send(self, result: object, *, is_last: bool = False) -> None:
        """Send one notification."""
        if self._waiting is not None:
            self._waiting.append((result, is_last))
            return
        self.is_finished = is_last
        self._deliver(self, result)

    def open(self) -> None:
        """Send what waited, and from now on at once."""
        waiting, self._waiting = self._waiting or [], None
        for result, is_last in waiting:
            self.send(result, is_last=is_last)

    def end(self) -> None:
        """Stop the source."""
        cancel, self.cancel = self.cancel, None
        if cancel is not None:
            cancel()


class _Method(msgspec.Struct, frozen=True):
    run: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    notify: str = ""


class RpcDispatcher:
    """The methods of one node."""

    def __init__(self, limits: RpcLimits | None = None) -> None:
        self.limits = limits or RpcLimits()
        self._methods: dict[str, _Method] = {}
        self._subscriptions: dict[str, _Method] = {}
        self._unsubscribes: set[str] = set()
        self._count = 0
        self.add(self)

    def add(self, group: object) -> None:
        """Add the marked methods of an object."""
        for attribute in dir(type(group)):
            declared: _Declared | None = getattr(getattr(type(group), attribute), _MARK, None)
            if declared is None:
                continue
            run = getattr(group, attribute)
            table = self._subscriptions if declared.notify else self._methods
            method = _Method(run, parameters_of(run, 1 if declared.notify else 0), declared.notify)
            table.update(dict.fromkeys(declared.names, method))
            self._unsubscribes.update(declared.unsubscribe)

    @rpc("rpc_methods")
    def methods(self) -> dict[str, object]:
        """Names of everything that can be called."""
        return {"methods": sorted([*self._methods, *self._subscriptions, *self._unsubscribes])}

    def call(self, method: str, params: object = None) -> Any:
        """Call a method in process; returns what JSON can carry.

        Raises:
            RpcError: With the code that a client would see.
        """
        known = self._methods.get(method)
        if known is None:
            raise RpcError(Code.METHOD_NOT_FOUND, "Method not found", method)
        return self._run(method, known, bind(known.parameters, params))

    def subscribe(self, method: str, params: object, deliver: Callable[[Sink, object], None]) -> Sink:
        """Subscribe in process. The sink is not open yet; `end` it to unsubscribe.

        Raises:
            RpcError: As `call`.
        """
        known = self._subscriptions.get(method)
        if known is None:
            raise RpcError(Code.METHOD_NOT_FOUND, "Method not found", method)
        arguments = bind(known.parameters, params)
        self._count += 1
        sink = Sink(f"sub{self._count}", known.notify, deliver)
        sink.cancel = self._run(method, known, [sink, *arguments])
        return sink

    def is_subscription(self, method: str) -> bool:
        """Whether a method subscribes."""
        return method in self._subscriptions

    def is_unsubscribe(self, method: str) -> bool:
        """Whether a method ends a subscription."""
        return method in self._unsubscribes

    @staticmethod
    def _run(name: str, method: _Method, arguments: list[Any]) -> Any:
        try:
            return method.run(*arguments)
        except ChainError as error:
            raise from_chain_error(error) from error
        except Exception as error:
            log.exception("%s failed", name)
            raise RpcError(Code.INTERNAL_ERROR, "Internal error", f"{type(error).__name__}: {error}") from error


class Session:
    """One client's conversation in JSON text.

    Args:
        dispatcher: The node's methods.
        send: Takes each outgoing message; None where only single answers are possible (POST), without subscriptions.
    """

    def __init__(self, dispatcher: RpcDispatcher, send: Callable[[bytes], None] | None = None) -> None:
        self._dispatcher = dispatcher
        self._send = send
        self._sinks: dict[str, Sink] = {}
        self._new: list[Sink] = []

    def receive(self, data: bytes | str) -> None:
        """Answer a message, then let new subscriptions speak."""
        assert self._send is not None, "this session cannot send"
        reply = self.answer(data)
        if reply is not None:
            self._send(reply)
        new, self._new = self._new, []
        for sink in new:
            sink.open()

    def answer(self, data: bytes | str) -> bytes | None:
        """The response to a request or batch; None if it held only notifications."""
        if len(data) > self._dispatcher.limits.request_bytes:
            return _refusal(Code.OVERSIZED_REQUEST, "Request is too big")
        try:
            message = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _refusal(Code.PARSE_ERROR, "Parse error")
        if not isinstance(message, list):
            return self._answer_one(message)
        batch = cast(list[object], message)
        if not batch:
            return _refusal(Code.INVALID_REQUEST, "Invalid request")
        limit = self._dispatcher.limits.batch_count
        if len(batch) > limit:
            return _refusal(Code.OVERSIZED_BATCH, "The batch request was too large", f"Exceeded max limit of {limit}")
        return self._answer_batch(batch)

    def close(self) -> None:
        """End all subscriptions."""
        sinks, self._sinks = self._sinks, {}
        for sink in sinks.values():
            sink.end()

    def _answer_batch(self, batch: list[object]) -> bytes | None:
        answers: list[bytes] = []
        size = 0
        for message in batch:
            answer = self._answer_one(message)
            if answer is None:
                continue
            size += len(answer)
            if size > self._dispatcher.limits.response_bytes:
                return self._too_big(None)
            answers.append(answer)
        return b"[" + b",".join(answers) + b"]" if answers else None

    def _answer_one(self, message: object) -> bytes | None:
        if not isinstance(message, dict):
            return _refusal(Code.INVALID_REQUEST, "Invalid request")
        request = cast(Mapping[str, object], message)
        identifier, method = request.get("id"), request.get("method")
        if request.get("jsonrpc") != "2.0" or not isinstance(method, str) or not _is_id(identifier):
            shown = identifier if _is_id(identifier) else None
            return _refusal(Code.INVALID_REQUEST, "Invalid request", None, shown)
        try:
            body: dict[str, object] = {"result": self._perform(method, request.get("params"))}
        except RpcError as error:
            body = {"error": error.to_json()}
        if "id" not in request:
            return None
        reply = msgspec.json.encode({"jsonrpc": "2.0", "id": identifier, **body})
        return self._too_big(identifier) if len(reply) > self._dispatcher.limits.response_bytes else reply

    def _too_big(self, identifier: object) -> bytes:
        limit = f"Exceeded max limit of {self._dispatcher.limits.response_bytes}"
        return _refusal(Code.OVERSIZED_RESPONSE, "Response is too big", limit, identifier)

    def _perform(self, method: str, params: object) -> object:
        if self._send is not None and self._dispatcher.is_subscription(method):
            return self._subscribe(method, params)
        if self._send is not None and self._dispatcher.is_unsubscribe(method):
            return self._unsubscribe(params)
        return self._dispatcher.call(method, params)

    def _subscribe(self, method: str, params: object) -> str:
        if len(self._sinks) >= self._dispatcher.limits.subscriptions:
            raise RpcError(Code.TOO_MANY_SUBSCRIPTIONS, "Too many subscriptions on the connection")
        sink = self._dispatcher.subscribe(method, params, self._deliver)
        self._sinks[sink.id] = sink
        self._new.append(sink)
        return sink.id

    def _unsubscribe(self, params: object) -> bool:
        values = cast(list[object], params) if isinstance(params, list) else []
        if len(values) != 1 or not isinstance(values[0], str):
            raise invalid_params("expected one subscription id")
        sink = self._sinks.pop(values[0], None)
        if sink is not None:
            sink.end()
        return sink is not None

    def _deliver(self, sink: Sink, result: object) -> None:
        if self._send is not None and sink.id in self._sinks:
            params = {"subscription": sink.id, "result": result}
            if sink.is_finished:
                del self._sinks[sink.id]
            self._send(msgspec.json.encode({"jsonrpc": "2.0", "method": sink.notify, "params": params}))


def _is_id(value: object) -> bool:
    return value is None or (isinstance(value, str | int) and not isinstance(value, bool))


def _refusal(code: Code, message: str, data: object = None, identifier: object = None) -> bytes:
    error = RpcError(code, message, data).to_json()
    return msgspec.json.encode({"jsonrpc": "2.0", "id": identifier, "error": error})

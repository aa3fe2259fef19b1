"""Chain time: one `LoopClock` per node over an event loop, and a loop whose time is virtual.

On the `VirtualLoop` a run repeats: time moves only when nothing is ready, straight to the next timer; equal timers fire
in the order they were set; what answers at a pace of its own (executors, subprocesses, sockets, threads) is refused.
"""

import asyncio
import heapq
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, NoReturn, TypeVar, cast

from substrate.errors import ChainError

VIRTUAL_EPOCH_US = 1_577_836_800_000_000
"""Where the virtual clock starts: 2020-01-01T00:00Z."""

_US = 1_000_000

T = TypeVar("T")


class Deadlock(ChainError):
    """Every task waits and no timer is set: nothing can ever happen again."""


class NotVirtual(ChainError):
    """Something was asked of the virtual loop that would not repeat."""


class LoopClock:
    """A node's chain time in integer microseconds since the unix epoch; satisfies the `Clock` protocol.

    Args:
        loop: The loop whose timers wake sleepers.
        epoch_us: Chain time at the loop's time zero.
        skew_us: How far this node's clock is ahead; a fault may change it at any time.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, epoch_us: int, skew_us: int = 0) -> None:
        self.skew_us = skew_us
        self._loop = loop
        self._epoch_us = epoch_us

    def now_us(self) -> int:
        """Chain time of this node."""
        return self._epoch_us + self.skew_us + round(self._loop.time() * _US)

    async def sleep_until_us(self, at: int) -> None:
        """Return at chain time `at`; a past time yields once."""
        await asyncio.sleep(0)
        while self.now_us() < at:
            woken = self._loop.create_future()
            timer = self._loop.call_at((at - self._epoch_us - self.skew_us) / _US, _wake, woken)
            try:
                await woken
            finally:
                timer.cancel()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def clock_of(loop: asyncio.AbstractEventLoop, *, skew_us: int = 0) -> LoopClock:
    """A clock over `loop`: virtual time counts from `VIRTUAL_EPOCH_US`, real time is the machine's."""
    virtual = isinstance(loop, VirtualLoop)
    epoch_us = VIRTUAL_EPOCH_US if virtual else time.time_ns() // 1000 - round(loop.time() * _US)
    return LoopClock(loop, epoch_us=epoch_us, skew_us=skew_us)


class _Timer(asyncio.TimerHandle):
    """A timer that fires in the order it was set among those of the same instant."""

    __slots__ = ("_sequence",)

    def __init__(
        self,
        when: float,
        sequence: int,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self._sequence = sequence

    def __lt__(self, other: object) -> bool:
        assert isinstance(other, _Timer), "only the virtual loop makes timers for its heap"
        return (self.when(), self._sequence) < (other.when(), other._sequence)


class _Selector:
    """What the loop polls when nothing is ready: instead of sleeping, time moves to the next timer."""

    def __init__(self, advance: Callable[[], None]) -> None:
        self._advance = advance

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None or timeout > 0:
            self._advance()
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop whose time is a number of microseconds since it was made."""

    def __init__(self) -> None:
        super().__init__()
        self._now_us = 0
        self._sequence = 0
        self._selector = _Selector(self._advance)
        self._clock_resolution = 0.5 / _US  # timers sit on whole microseconds

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now_us / _US

    def call_at(  # type: ignore[override]  # typeshed ties the arguments with a TypeVarTuple
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Like asyncio's, with a sequence number that orders equal times."""
        inner = cast(Any, self)
        inner._check_closed()
        self._sequence += 1
        timer = _Timer(round(when * _US) / _US, self._sequence, callback, args, self, context)
        heapq.heappush(inner._scheduled, timer)
        cast(Any, timer)._scheduled = True
        return timer

    def call_soon_threadsafe(  # type: ignore[override]  # as above
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Only for signal handlers: another thread answers when it likes."""
        owner = cast("int | None", cast(Any, self)._thread_id)
        if owner is not None and owner != threading.get_ident():
            raise NotVirtual("another thread called into the virtual clock: its moment would not repeat")
        return self.call_soon(callback, *args, context=context)

    def _advance(self) -> None:
        scheduled = cast("list[_Timer]", cast(Any, self)._scheduled)
        if not scheduled:
            raise Deadlock(f"deadlock at {self.time():.6f} s: every task waits and no timer is set\n{self._waiting()}")
        self._now_us = max(self._now_us, round(scheduled[0].when() * _US))

    def _waiting(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=lambda task: task.get_name())
        return "\n".join(f"  {task.get_name()}: {_place(task)}" for task in tasks)

    def _process_events(self, event_list: list[object]) -> None:
        assert not event_list, "nothing is ever polled"

    def _write_to_self(self) -> None:
        """Nothing sleeps, so nothing needs waking."""


def _place(task: asyncio.Task[Any]) -> str:
    """The innermost coroutine that `task` waits in."""
    awaited: Any = task.get_coro()
    place = repr(awaited)
    while (frame := getattr(awaited, "cr_frame", None)) is not None:
        place = f"{awaited.__qualname__} ({frame.f_code.co_filename}:{frame.f_lineno})"
        awaited = awaited.cr_await
    return place


def _refusing(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise NotVirtual(f"{name}() was called on the virtual clock: its answer would not repeat")

    return refuse


for _name in (
    "run_in_executor set_default_executor getaddrinfo getnameinfo create_connection create_server "
    "create_unix_connection create_unix_server create_datagram_endpoint connect_accepted_socket "
    "connect_read_pipe connect_write_pipe sendfile start_tls subprocess_exec subprocess_shell add_reader "
    "add_writer sock_recv sock_recv_into sock_sendall sock_connect sock_accept sock_sendfile sock_recvfrom "
    "sock_sendto "
).split():
    setattr(VirtualLoop, _name, _refusing(_name))


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on a virtual loop of its own.

    Raises:
        Deadlock: Nothing can happen any more.
        NotVirtual: Something was used that would not repeat.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)

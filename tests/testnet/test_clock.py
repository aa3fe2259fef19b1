"""The virtual clock: time is a number, order is a rule, and nothing from outside gets in."""

import asyncio
import signal
import socket
import time

import pytest

from testnet.clock import VIRTUAL_EPOCH_US, Deadlock, NotVirtual, VirtualLoop, clock_of, run_virtual


def test_an_hour_passes_at_once_and_to_the_microsecond() -> None:
    async def main() -> int:
        clock = clock_of(asyncio.get_running_loop())
        await clock.sleep_until_us(VIRTUAL_EPOCH_US + 3_600_000_001)
        return clock.now_us() - VIRTUAL_EPOCH_US

    started = time.monotonic()
    assert run_virtual(main()) == 3_600_000_001
    assert time.monotonic() - started < 1


def test_equal_timers_fire_in_the_order_they_were_set() -> None:
    async def main() -> list[int]:
        loop, fired = asyncio.get_running_loop(), list[int]()
        for number in range(500):
            loop.call_at(1.0 if number % 2 else 0.5, fired.append, number)
        await asyncio.sleep(2)
        return fired

    assert run_virtual(main()) == [*range(0, 500, 2), *range(1, 500, 2)]


def test_cancelled_timers_do_not_hold_time_back() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        for _ in range(300):
            loop.call_later(5, print).cancel()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await asyncio.Event().wait()
        return loop.time()

    assert run_virtual(main()) == 2.0


def test_a_skewed_clock_wakes_by_its_own_time() -> None:
    async def main() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        ahead, true = clock_of(loop, skew_us=1_000_000), clock_of(loop)
        await ahead.sleep_until_us(VIRTUAL_EPOCH_US + 3_000_000)
        return ahead.now_us() - VIRTUAL_EPOCH_US, true.now_us() - VIRTUAL_EPOCH_US

    assert run_virtual(main()) == (3_000_000, 2_000_000)


def test_a_past_time_yields_once_and_returns() -> None:
    async def main() -> list[str]:
        order = list[str]()
        clock = clock_of(asyncio.get_running_loop())
        other = asyncio.create_task(asyncio.sleep(0), name="other")
        other.add_done_callback(lambda _: order.append("other"))
        await clock.sleep_until_us(0)
        order.append("sleeper")
        await other
        await asyncio.sleep(0)
        return order

    assert sorted(run_virtual(main())) == ["other", "sleeper"]


def test_a_deadlock_is_an_error_that_names_who_waits() -> None:
    async def wait_for_godot() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_for_godot(), name="vladimir")

    with pytest.raises(Deadlock, match=r"vladimir: .*wait \("):
        run_virtual(main())


@pytest.mark.parametrize("name", ["executor", "thread", "subprocess", "connection", "server"])
def test_what_would_not_repeat_is_refused(name: str) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        match name:
            case "executor":
                await loop.run_in_executor(None, time.sleep, 0)
            case "thread":
                await asyncio.to_thread(time.sleep, 0)
            case "subprocess":
                await asyncio.create_subprocess_exec("true")
            case "connection":
                await asyncio.open_connection("127.0.0.1", 9)
            case _:
                await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, family=socket.AF_INET)

    with pytest.raises(NotVirtual, match="would not repeat"):
        run_virtual(main())


def test_another_thread_is_refused() -> None:
    async def main() -> NotVirtual:
        loop = asyncio.get_running_loop()
        refused = list[NotVirtual]()

        def call() -> None:
            try:
                loop.call_soon_threadsafe(print)
            except NotVirtual as error:
                refused.append(error)

        import threading

        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        return refused[0]

    assert "another thread" in str(run_virtual(main()))


def test_ctrl_c_reaches_the_virtual_loop() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_later(5, signal.raise_signal, signal.SIGINT)
        await asyncio.sleep(3600)

    with pytest.raises(KeyboardInterrupt):
        run_virtual(main())


async def test_the_real_clock_tells_the_machines_time_and_sleeps() -> None:
    clock = clock_of(asyncio.get_running_loop())
    assert not isinstance(asyncio.get_running_loop(), VirtualLoop)
    assert abs(clock.now_us() - time.time_ns() // 1000) < 100_000

    at = clock.now_us() + 20_000
    await clock.sleep_until_us(at)

    assert at <= clock.now_us() < at + 1_000_000

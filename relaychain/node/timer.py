"""One timer on a node's clock: setting it again replaces what was set."""

import asyncio
from collections.abc import Callable

from substrate.client.protocols import Clock


class Timer:
    """Calls back at a time; owned by the task group it was given."""

    def __init__(self, tasks: asyncio.TaskGroup, clock: Clock, callback: Callable[[], None]) -> None:
        self._tasks = tasks
        self._clock = clock
        self._callback = callback
        self._task: asyncio.Task[None] | None = None

    def set(self, at_us: int) -> None:
        """Call back at this time instead of the one set before."""
        self.cancel()
        self._task = self._tasks.create_task(self._wait(at_us))

    def cancel(self) -> None:
        """Do not call back."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _wait(self, at_us: int) -> None:
        await self._clock.sleep_until_us(at_us)
        self._task = None
        self._callback()

"""A link in memory keeps nothing of what went over it."""

import tracemalloc

import pytest

from testnet.clock import run_virtual
from tests.benchmarks.packets import talk


@pytest.mark.soak
def test_a_million_packets_leave_nothing_behind() -> None:
    assert run_virtual(talk(10_000)) == 10_000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    assert run_virtual(talk(1_000_000)) == 1_000_000
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 1_000_000, f"{grown} bytes were left"

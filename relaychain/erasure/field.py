"""GF(2^16) in Cantor-basis coordinates, as log and exp tables.

Source: paritytech/reed-solomon-novelpoly, `src/field/f2e16.rs`; field polynomial x^16+x^5+x^3+x^2+1.

A symbol `s` stands for the sum of `CANTOR_BASIS[b]` over its set bits. The map is linear, so addition is XOR in
coordinates too; multiplication goes through logarithms that are indexed by coordinates.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

Symbols = npt.NDArray[np.uint16]
Logs = npt.NDArray[np.int32]

POLYNOMIAL = 0x1002D
ORDER = 0xFFFF
"""Size of the multiplicative group."""
LOG_ZERO = 2 * ORDER
"""Stands for log(0): past every sum of two logs, where the exp table holds zeros."""
CANTOR_BASIS = (
    1, 44234, 15374, 5694, 50562, 60718, 37196, 16402, 27800, 4312, 27250, 47360, 64952, 64308, 65336, 39198,
)  # fmt: skip


def _basis_elements() -> Symbols:
    """Field element (bits of the polynomial) of each coordinate vector."""
    elements = np.zeros(ORDER + 1, np.uint16)
    for bit, element in enumerate(CANTOR_BASIS):
        size = 1 << bit
        elements[size : 2 * size] = elements[:size] ^ element
    return elements


@cache
def tables() -> tuple[Logs, Symbols]:
    """`log[coordinates]` and `exp[log]`; exp runs over sums of two logs and is 0 from `LOG_ZERO` on."""
    powers = np.zeros(ORDER, np.uint16)
    element = 1
    for exponent in range(ORDER):
        powers[exponent] = element
        element <<= 1
        if element > ORDER:
            element ^= POLYNOMIAL
    elements = _basis_elements()
    coordinates = np.zeros(ORDER + 1, np.uint16)
    coordinates[elements] = np.arange(ORDER + 1, dtype=np.uint16)
    cycle = coordinates[powers]
    exp = np.zeros(LOG_ZERO + LOG_ZERO + 1, np.uint16)
    exp[:ORDER] = exp[ORDER:LOG_ZERO] = cycle
    log = np.zeros(ORDER + 1, np.int32)
    log[cycle] = np.arange(ORDER, dtype=np.int32)
    log[0] = LOG_ZERO
    return log, exp


@cache
def log_of(symbol: int) -> int:
    """Logarithm of one non-zero symbol."""
    return int(tables()[0][symbol])


def lagrange_logs(points: tuple[int, ...], at: int) -> tuple[int, ...]:
    """Logs of the Lagrange coefficients that carry values at `points` to the value at `at`.

    Points are coordinates, so a difference is an XOR. `at` must not be one of `points`.
    """
    logs: list[int] = []
    for own in points:
        total = 0
        for other in points:
            if other != own:
                total += log_of(at ^ other) - log_of(own ^ other)
        logs.append(total % ORDER)
    return tuple(logs)


def interpolate(logs: list[Logs], coefficients: tuple[int, ...]) -> Symbols:
    """Sum of coefficient times row, for rows given as logs; one value per column."""
    exp = tables()[1]
    total = exp[logs[0] + coefficients[0]]
    for row, coefficient in zip(logs[1:], coefficients[1:], strict=True):
        total ^= exp[row + coefficient]
    return total

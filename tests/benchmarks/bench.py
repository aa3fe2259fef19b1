"""`make bench`: the figures of the house, each with its bar and its goal.

    python tests/benchmarks/bench.py            all of them
    python tests/benchmarks/bench.py xcm scale  those whose key contains a word

Exit code 1 if a bar is missed, 2 for a word that no key contains. Figures that need a process per node, or a chain that
is not there, are not measured.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))


class Figure(NamedTuple):
    """Something measured, against what it must be."""

    what: str
    unit: str
    bar: float
    goal: float
    measured: float
    more_is_better: bool = False

    @property
    def verdict(self) -> str:
        if self.more_is_better:
            return "missed" if self.measured < self.bar else "goal" if self.measured >= self.goal else "ok"
        return "missed" if self.measured > self.bar else "goal" if self.measured <= self.goal else "ok"


Measure = Callable[[], Iterable[Figure]]


def measures() -> dict[str, Measure]:
    import house_figures
    import network_figures
    import scale_figures
    import virtual_figures

    return {
        "scale": scale_figures.measure,
        "house": house_figures.measure,
        "virtual": virtual_figures.measure,
        "start": network_figures.measure_start,
        "running": network_figures.measure_running,
        "xcm": network_figures.measure_xcm,
    }


def figures(words: list[str]) -> Iterator[Figure]:
    for key, measure in measures().items():
        if not words or any(word in key for word in words):
            yield from measure()


def main(words: list[str]) -> int:
    if strange := [word for word in words if not any(word in key for key in measures())]:
        print(f"no figures for {', '.join(strange)}; there are {', '.join(measures())}", file=sys.stderr)
        return 2
    line = "{:<66} {:>9} {:>9} {:>9}  {:<6} {}"
    print(line.format("what", "bar", "goal", "measured", "unit", ""))
    missed = 0
    for figure in figures(words):
        numbers = (f"{number:,.{0 if number >= 100 else 2}f}" for number in (figure.bar, figure.goal, figure.measured))
        print(line.format(figure.what, *numbers, figure.unit, figure.verdict), flush=True)
        missed += figure.verdict == "missed"
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

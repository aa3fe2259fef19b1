"""Start-up check: our packages are the ones that Python finds.

`substrate` and `testnet` are names that other distributions install too.
"""

from importlib.machinery import PathFinder
from pathlib import Path

from testnet.errors import UsageError

PACKAGES = ("substrate", "xcm", "relaychain", "parachains", "testnet")


def check_packages(home: Path | None = None) -> None:
    """Compare where each package is found with where this file lies.

    Args:
        home: The directory that holds our packages; by default the one of this file.

    Raises:
        UsageError: Another package of the same name comes first on `sys.path`; its path is named.
    """
    home = home or Path(__file__).resolve().parent.parent
    for name in PACKAGES:
        spec = PathFinder.find_spec(name)
        found = None if spec is None or spec.origin is None else Path(spec.origin).resolve().parent
        if found == home / name:
            continue
        if found is None:
            raise UsageError(f"the package {name} is missing beside {home / 'testnet'}; install relayloom again")
        raise UsageError(
            f"another package named {name!r} shadows ours: Python finds {found}, relayloom's is {home / name}; "
            "uninstall it, run from another directory, or use a fresh virtual environment"
        )

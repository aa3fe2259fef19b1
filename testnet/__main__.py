"""`python -m testnet`, and the console script."""

import os
import signal
import sys

INTERRUPTED = 130


def leave(*_: object) -> None:
    """Ctrl-C where nothing runs yet: go."""
    os._exit(INTERRUPTED)


def stop(*_: object) -> None:
    """A polite kill is a Ctrl-C, also for a process in the background, which ignores that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


def open_streams() -> None:
    """Let output go nowhere where it is closed, and escape what its encoding cannot say: names may be in any script."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        getattr(sys, name).reconfigure(errors="backslashreplace")


def main() -> None:
    """Run the command line; Ctrl-C ends it with 130, at whatever instant it comes."""
    before = signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, stop)
    open_streams()
    from testnet import cli

    signal.signal(signal.SIGINT, before)
    try:
        cli.main()
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        # While an interpreter clears up, a Ctrl-C would end it by the signal; all that must be kept is written.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code)


if __name__ == "__main__":
    main()

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


def main() -> None:
    """Run the command line; Ctrl-C ends it with 130, at whatever instant it comes."""
    before = signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, stop)
    from testnet import cli

    signal.signal(signal.SIGINT, before)
    try:
        cli.main()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            # An interpreter that saw the interrupt in generated code would end by the signal instead.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(INTERRUPTED)
        raise


if __name__ == "__main__":
    main()

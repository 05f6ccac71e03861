"""The command line, for `python -m uvenv` and the script `cargo-uvenv`."""

from __future__ import annotations

import signal
import sys

from uvenv import _uvenv


def main() -> int:
    """Runs the command line.

    Returns:
        The exit status.
    """
    # As for any program that is not written in Python, Ctrl-C ends it, unless it was started so that it does not.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _uvenv.main(sys.argv, [sys.executable, "-m", "uvenv"])


if __name__ == "__main__":
    sys.exit(main())

"""The environment variables as Python has them: reading those of the process would race with threads that set some."""

import os


def current() -> dict[str, str]:
    # `os.environ.copy()` raises where another thread takes a variable away meanwhile. Its names are listed at once.
    return {name: value for name in os.environ if (value := os.environ.get(name)) is not None}

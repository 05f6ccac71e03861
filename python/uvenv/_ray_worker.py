"""What each worker of Ray checks first. It is copied to nodes, and imports nothing that environments do not have."""

# Ray is not there where the package is checked.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import json
import os
import socket
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any


def snapshot(environment: Path) -> dict[str, Any]:
    """Returns what is installed in an environment: the versions of its distributions."""
    (packages,) = environment.glob("lib/python*/site-packages")
    names = (path.name.removesuffix(".dist-info") for path in packages.iterdir() if path.name.endswith(".dist-info"))
    parts = (name.rpartition("-") for name in names)
    distributions = {name: version for name, _, version in parts}
    return {"environment": str(environment), "distributions": distributions}


def reject(problem: str) -> None:
    """Lets each task and actor of this worker fail with an error that says why, and ends the worker with the first one.

    An exception here would end the worker too, but Ray would try three times, and not say why.
    """
    from ray._private.function_manager import FunctionExecutionInfo
    from ray._private.worker import global_worker

    def raise_problem(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"uvenv on {socket.gethostname()}: {problem}")

    fail: Any = raise_problem
    # Actors with coroutines are asked for the function of a method.
    fail.method = fail
    fail.name = "uvenv"
    # Without the function itself, which may need a package that is not there.
    info = FunctionExecutionInfo(function=fail, function_name="uvenv", max_calls=1)
    manager = global_worker.function_actor_manager
    manager.get_execution_info = lambda *_: info
    # Which would also have counted it.
    manager._num_task_executions = defaultdict(int)


def removed(place: Path) -> str:
    """Returns the problem that an environment is gone."""
    return f"{place} was removed: call `runtime_env` with another `attempt`, and it is made again"


def check() -> None:
    """Rejects an environment that is not the one which was made for the worker, and names the packages that differ."""
    path = Path(os.environ["UVENV_RAY_SNAPSHOT"])
    if not path.exists():
        reject(removed(path.parent))
        return
    expected = json.loads(path.read_text())
    environment = Path(expected["environment"])
    found = snapshot(environment)["distributions"]
    problems = [
        f"`{name}` is {found.get(name, 'missing')}, and not {expected['distributions'].get(name, 'expected')}"
        for name in sorted({*found, *expected["distributions"]})
        if found.get(name) != expected["distributions"].get(name)
    ]
    if Path(sys.prefix) != environment:
        problems.insert(0, f"it runs in {sys.prefix}, and not in {environment}")
    if problems:
        reject(f"the environment is not what was made: {'; '.join(problems)}")
        return
    hook = os.environ.get("UVENV_RAY_HOOK")
    if hook:
        from ray._private.runtime_env.setup_hook import load_and_execute_setup_hook

        problem = load_and_execute_setup_hook(hook)
        if problem:
            reject(problem)

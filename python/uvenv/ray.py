"""Environments on a Ray cluster: workers start in a profile's locked environment, which each node makes for itself.

`runtime_env` says which; a plugin of Ray's, `Environments`, makes it on each node before a worker starts there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from uvenv._errors import Error
from uvenv._monorepo import LAUNCHER, Monorepo, Names, as_list

try:
    import ray
    from ray._private.runtime_env.plugin import RuntimeEnvPlugin
except ImportError as error:
    message = "Ray is not installed in this environment"
    raise ImportError(f"{message}: pip install 'cargo-uvenv[ray]'", name=error.name) from error

if TYPE_CHECKING:
    from ray._private.runtime_env.context import RuntimeEnvContext
    from ray.runtime_env import RuntimeEnv

__all__ = ["PLUGINS", "Environments", "NodeError", "directory", "runtime_env"]

PLUGINS = json.dumps([{"class": "uvenv.ray.Environments"}])
"""What `RAY_RUNTIME_ENV_PLUGINS` has to be where a node is started."""

_PLUGINS_VARIABLE = "RAY_RUNTIME_ENV_PLUGINS"

# Where Ray keeps the function that a worker calls before all else. It is for a whole job; said as a variable, it is for
# tasks and actors as well.
_HOOK_VARIABLE = "__RAY_WORKER_PROCESS_SETUP_HOOK_ENV_VAR"
_HOOK = "uvenv.ray.refuse"

# A first download of PyTorch and what it needs takes longer than Ray's own limit.
_TIMEOUT_SECONDS = 3600

# What Ray itself makes environments with, and how to do without.
_CONFLICTING = {name: f"leave `{name}` out" for name in ("pip", "uv", "conda", "container", "image_uri")} | {
    "py_executable": "leave `py_executable` out; where `uv run` has started the driver and Ray put it there, start it"
    " with `cargo uvenv run`, or set RAY_ENABLE_UV_RUN_RUNTIME_ENV=0",
}


class NodeError(Error):
    """An environment cannot be made on a node, or no worker can start in it. The text is that of uvenv on the node."""


def runtime_env(
    profile: str | None = None,
    *,
    backend: str | None = None,
    extra: Names = (),
    group: Names = (),
    no_default_groups: bool = False,
    vendored: str | os.PathLike[str] | None = None,
    monorepo: Monorepo | None = None,
) -> dict[str, Any]:
    """Gives the `runtime_env` with which workers start in a profile's locked environment.

    It is for `ray.init`, for jobs, and for the options of tasks and actors, which may have different ones in one
    cluster; entries of Ray's own can be added to it. The monorepo must be at the same path on each node, with the same
    lockfile. The environment must have Ray, in the version of the cluster.

    A local cluster that `ray.init` starts afterwards makes the environments by itself. The nodes of another one must
    have been started with the variable `RAY_RUNTIME_ENV_PLUGINS` as `PLUGINS` has it.

    Args:
        profile: The profile: dev, staging or prod.
        backend: The GPU backend: its name, `auto` (what the driver of each node runs) or `none`.
        extra: Extras.
        group: Dependency groups.
        no_default_groups: Without the default groups.
        vendored: A directory on each node, filled by `Monorepo.vendor`, to install from without a network.
        monorepo: The monorepo; else that of the current directory.

    Returns:
        Plain values, which pickle and print.

    Raises:
        MissingLockfile: The profile is not locked.
        StaleLockfile: The pins of the manifest are not those of the lockfile.
        BackendRequired: Nothing says which backend is meant.
        UnknownBackend: The profile has no such backend.

    Example:
        >>> env = uvenv.ray.runtime_env("prod", backend="cu124")
        >>> env["uvenv"]["profile"], env["uvenv"]["backend"]
        ('prod', 'cu124')
    """
    repo = Monorepo.discover() if monorepo is None else monorepo
    selection: dict[str, Any] = {
        "extra": as_list(extra),
        "group": as_list(group),
        "no_default_groups": no_default_groups,
    }
    # Errors in what is asked for are found here, and not on all nodes. What `auto` is, each node knows by itself.
    here = "none" if backend == "auto" else backend
    planned = repo.plan(profile, backend=here, frozen=True, recreate=True, progress=False, **selection)
    found = repo.profiles[planned.profile]
    os.environ.setdefault(_PLUGINS_VARIABLE, PLUGINS)
    return {
        "uvenv": {
            "root": str(repo.root),
            "profile": found.name,
            "backend": backend if backend == "auto" else planned.backend or "none",
            **selection,
            "vendored": None if vendored is None else str(Path(vendored).absolute()),
            "lockfile": _digest(found.lockfile),
        },
        "env_vars": {_HOOK_VARIABLE: _HOOK},
        "config": {"setup_timeout_seconds": _TIMEOUT_SECONDS},
    }


def directory() -> Path:
    """Where this node has its environments: `UVENV_RAY_DIR`, else `ray` in uvenv's cache.

    Returns:
        The directory, be it there or not. What is in it can be removed where no worker runs; it is made again.

    Example:
        >>> uvenv.ray.directory().name
        'ray'
    """
    if chosen := os.environ.get("UVENV_RAY_DIR"):
        return Path(chosen).absolute()
    if chosen := os.environ.get("UVENV_CACHE_DIR"):
        return Path(chosen).absolute() / "ray"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uvenv" / "ray"


def refuse() -> None:
    """What a worker calls that was started by a node without the plugin: in the environment that Ray itself has there.

    Raises:
        NodeError: Always.
    """
    message = "this node of the cluster was started without uvenv's plugin, so that no environment was made"
    raise _refused("ray-plugin", message, f"start Ray on each node with {_PLUGINS_VARIABLE}='{PLUGINS}'")


class Environments(RuntimeEnvPlugin):
    """The plugin: makes an environment on a node, once, and has workers start in it.

    Ray calls it in the agent of each node. Where the environment is as it should be, that takes some milliseconds.
    """

    name = "uvenv"
    # Before all others: those that it cannot work with are not to work first, and profilers start what it chooses.
    priority = 0

    async def create(
        self,
        uri: str | None,  # noqa: ARG002 (Ray says so)
        runtime_env: RuntimeEnv,
        context: RuntimeEnvContext,  # noqa: ARG002
        logger: logging.Logger,
    ) -> float:
        """Brings the environment up to date; Ray says what fails here as the error of the task.

        Returns:
            The room that it takes for Ray to count: none, since Ray must not remove it.

        Raises:
            NodeError: It cannot be made, or workers cannot start in it.
        """
        entries = cast("dict[str, Any]", runtime_env)
        for field, help in _CONFLICTING.items():
            if entries.get(field):
                message = f"`uvenv` and `{field}` in one runtime_env both choose the environment"
                raise _refused("ray-conflict", message, help)
        wanted = _Wanted(entries[self.name])
        wanted.check_lockfile()
        logger.info("uvenv makes %s", wanted.environment)
        await _sync(wanted)
        wanted.check_ray()
        return 0

    def modify_context(
        self,
        uris: list[str],  # noqa: ARG002 (Ray says so)
        runtime_env: RuntimeEnv,
        context: RuntimeEnvContext,
        logger: logging.Logger,  # noqa: ARG002
    ) -> None:
        """Has workers start with the environment's Python and find its programs."""
        environment = _Wanted(cast("dict[str, Any]", runtime_env)[self.name]).environment
        scripts = environment / ("Scripts" if os.name == "nt" else "bin")
        context.py_executable = shlex.quote(str(scripts / "python"))
        variables = context.env_vars
        if variables.get(_HOOK_VARIABLE) == _HOOK:
            del variables[_HOOK_VARIABLE]
        path = variables.get("PATH", os.environ.get("PATH", ""))
        variables |= {"VIRTUAL_ENV": str(environment), "PATH": f"{scripts}{os.pathsep}{path}"}


class _Wanted:
    """An environment that a driver has asked for, on this node."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.root = Path(asked["root"])
        # Another lockfile is another environment: workers that run keep theirs.
        key = json.dumps([asked, sys.version_info[:2]], sort_keys=True)
        parts = [asked["profile"], asked["backend"] or "", hashlib.sha256(key.encode()).hexdigest()[:16]]
        self.environment = directory() / "-".join(part for part in parts if part)

    def arguments(self) -> list[str]:
        asked = self.asked
        arguments = ["-C", str(self.root), "--color", "never", "sync", "--frozen", "--profile", asked["profile"]]
        for option in ("backend", "vendored"):
            if asked[option] is not None:
                arguments += [f"--{option}", asked[option]]
        for option in ("extra", "group"):
            arguments += [word for name in asked[option] for word in (f"--{option}", name)]
        if asked["no_default_groups"]:
            arguments.append("--no-default-groups")
        # Workers and nodes must be of one version of Python.
        return [*arguments, "--python", sys.executable]

    def check_lockfile(self) -> None:
        profile = Monorepo.discover(self.root).profiles.get(self.asked["profile"])
        if profile is None:
            message = f"`{self.root}` has no profile {self.asked['profile']} on this node"
        elif not profile.lockfile.exists():
            message = f"there is no `{profile.lockfile}` on this node"
        elif _digest(profile.lockfile) != self.asked["lockfile"]:
            message = f"`{profile.lockfile}` on this node is not the lockfile of the driver"
        else:
            return
        raise _refused("ray-lockfile", message, "bring the monorepo to the same commit on all nodes")

    def check_ray(self) -> None:
        folders = self.environment.glob("[lL]ib/**/site-packages/ray-*.dist-info")
        found = [folder.name.removeprefix("ray-").removesuffix(".dist-info") for folder in folders]
        if found != [ray.__version__]:
            has = f"Ray {found[0]}" if found else "no Ray"
            message = f"the environment of {self.asked['profile']} has {has}, and this node runs Ray {ray.__version__}"
            raise _refused("ray-version", message, f'depend on "ray=={ray.__version__}" in its manifest, and lock it')


def _refused(code: str, message: str, help: str) -> NodeError:
    return NodeError(message, text=f"error[{code}]: {message}\n |\n = help: {help}", help=help)


def _digest(lockfile: Path) -> str:
    return hashlib.sha256(lockfile.read_bytes()).hexdigest()


async def _sync(wanted: _Wanted) -> None:
    """Runs the command line in a process of its own, which ends when the node wants no more of it."""
    variables = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    variables["UV_PROJECT_ENVIRONMENT"] = str(wanted.environment)
    process = await asyncio.create_subprocess_exec(
        *LAUNCHER,
        *wanted.arguments(),
        env=variables,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:
        # Ray has waited long enough. The next attempt heals what is left.
        os.killpg(process.pid, signal.SIGTERM)
        await process.wait()
        raise
    if process.returncode != 0:
        text = said.decode(errors="replace").strip()
        raise NodeError(f"the environment of {wanted.asked['profile']} cannot be made on this node", text=text)

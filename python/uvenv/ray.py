"""Environments of a monorepo for Ray: its tasks, actors and jobs.

Each node of the cluster needs `cargo-uvenv[ray]` beside its Ray, and is started with the variables of `start_args`.
"""

# Ray is not there where the package is checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

import asyncio
import atexit
import hashlib
import json
import logging
import os
import platform
import shlex
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import ray
from ray._private.runtime_env.packaging import get_local_dir_from_uri
from ray._private.runtime_env.plugin import RuntimeEnvPlugin
from ray._private.runtime_env.working_dir import upload_working_dir_if_needed

from uvenv import _ray_worker
from uvenv._monorepo import Monorepo

FIELD = "uvenv"
"""The field of a `runtime_env` that the plug-in reads."""

_HOOK = "__RAY_WORKER_PROCESS_SETUP_HOOK_ENV_VAR"
"""The variable with the function that each worker calls first, as Ray's own `worker_process_setup_hook` sets it."""


def start_args() -> dict[str, str]:
    """Returns the variables with which each node of a cluster has to be started, so that Ray finds the plug-in.

    Returns:
        The plug-in for `ray start`, and that Ray soon tries again what has failed: otherwise, it would remember a
        failure for ten minutes after its cause is gone.

    Example:
        >>> os.environ.update(uvenv.ray.start_args())
        >>> ray.init(runtime_env=uvenv.ray.runtime_env("prod", backend="cu124"))
    """
    plugins = [{"class": f"{Plugin.__module__}.{Plugin.__qualname__}"}]
    return {"RAY_RUNTIME_ENV_PLUGINS": json.dumps(plugins), "BAD_RUNTIME_ENV_CACHE_TTL_SECONDS": "1"}


def runtime_env(
    profile: str = "prod",
    *,
    backend: str | None = None,
    vendored: str | os.PathLike[str] | None = None,
    monorepo: Monorepo | None = None,
    ship: bool = False,
    attempt: int = 0,
) -> dict[str, Any]:
    """Returns the `runtime_env` with which workers run in the environment of a profile.

    It is for `ray.init`, jobs, tasks and actors. Each node makes the environment once, on its own disk, when its first
    worker needs it, from the lockfile as it is. The monorepo has to be at the same path on each node, unless
    it is shipped.

    Args:
        profile: The profile: dev, staging or prod.
        backend: The GPU backend.
        vendored: A directory made by `vendor`, at the same path on each node, to install from without index and git.
        monorepo: The monorepo; by default, that of the current directory.
        ship: Whether Ray brings the manifest, the lockfile and the vendored directory to the nodes, as its
            `working_dir`, which is then in use. Ray limits its size.
        attempt: Another number than before lets a node try at once again what has failed. Ray remembers a failure, for
            ten minutes or, with `start_args`, until it has been asked again.

    Returns:
        The dictionary, to which other fields of Ray can be added.

    Raises:
        BackendRequired: The profile has backends, and none is selected.
        MissingLockfile: The profile was never locked.
        StaleLockfile: The pins of the lockfile are not those of the manifest.
        ValueError: `ship` is used without a vendored directory.

    Example:
        >>> @ray.remote(runtime_env=uvenv.ray.runtime_env("prod", backend="cu124"))
        ... def train():
        ...     import bench_utils
    """
    repo = Monorepo.discover() if monorepo is None else monorepo
    # It is decided here and not on the nodes, which can have other variables.
    selected = repo.plan(profile, backend=backend, frozen=True).backend
    lockfile = repo.profiles[profile].lockfile
    field = {
        "profile": profile,
        "backend": selected or "none",
        "monorepo": str(repo.root),
        "vendored": None if vendored is None else str(Path(vendored).absolute()),
        "lockfile": str(lockfile),
        "sha256": _sha256(lockfile),
        "python": _python(),
        "ray": ray.__version__,
        "attempt": attempt,
    }
    # A node without the plug-in would ignore the field, and run in another environment.
    environment: dict[str, Any] = {FIELD: field, "env_vars": {_HOOK: f"{__name__}.{plugin_is_missing.__name__}"}}
    if ship:
        if vendored is None:
            raise ValueError("`ship` needs a vendored directory")
        field |= {"monorepo": None, "lockfile": f"{profile}/uv.lock", "vendored": "vendored"}
        environment["working_dir"] = _shipped(repo, profile, Path(vendored))
        if ray.is_initialized():
            # Ray does so itself for `ray.init` alone.
            environment = upload_working_dir_if_needed(environment, include_gitignore=False)
    return environment


def _shipped(repo: Monorepo, profile: str, vendored: Path) -> str:
    """Returns a directory with a monorepo that has one profile, and its vendored directory."""
    directory = Path(tempfile.mkdtemp(prefix="uvenv-ray-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    (directory / profile).mkdir()
    found = repo.profiles[profile]
    for path in (found.manifest, found.lockfile):
        shutil.copy(path, directory / profile / path.name)
    backends = f"backends = {json.dumps(list(found.backends))}\n" if found.backends else ""
    (directory / "pyproject.toml").write_text(
        f'[project]\nname = "shipped"\nversion = "0"\n\n[tool.uvenv]\n{backends}'
        f'profiles = {{ {profile} = "{profile}" }}\n'
    )
    shutil.copytree(vendored, directory / "vendored")
    return str(directory)


def plugin_is_missing() -> None:
    """Is called by a worker on a node that was started without the plug-in, and lets its tasks fail."""
    _ray_worker.reject(
        "the node was started without the plug-in: set the variables of `uvenv.ray.start_args()` before `ray start`"
    )


class Plugin(RuntimeEnvPlugin):  # type: ignore[misc]
    """What Ray loads on each node to make environments, and to remove those that nobody uses."""

    name = FIELD
    # After Ray's own, so that the interpreter is this one.
    priority = 20

    def __init__(self) -> None:
        """Is called by Ray on each node."""
        # Several attempts have one environment.
        self._users: dict[Path, set[str]] = {}

    @staticmethod
    def validate(runtime_env_dict: dict[str, Any]) -> None:
        """Rejects a field that `runtime_env` has not made."""
        field = runtime_env_dict.get(FIELD)
        if field is not None and not (isinstance(field, dict) and {"profile", "sha256", "attempt"} <= field.keys()):
            raise ValueError(f"the field `{FIELD}` has to be that of `uvenv.ray.runtime_env`")

    def get_uris(self, runtime_env: Any) -> list[str]:
        """Returns what names the environment: the hash of all that decides what is in it."""
        field = runtime_env.get(FIELD)
        return [] if field is None else [_uri(field)]

    async def create(self, uri: str | None, runtime_env: Any, context: Any, logger: logging.Logger) -> int:  # noqa: ARG002
        """Makes the environment. Returns its size in bytes. An exception fails the task, with its text."""
        field = cast("dict[str, Any]", runtime_env[FIELD])
        place = _place(_uri(field))
        field = _on_node(field, runtime_env)
        _check_node(field)
        self._users.setdefault(place, set()).add(uri or "")
        environment = await _sync(field, place, logger)
        snapshot = _ray_worker.snapshot(environment)
        found = snapshot["distributions"].get("ray")
        if found != field["ray"]:
            raise RuntimeError(
                f"uvenv on {socket.gethostname()}: {field['profile']} has {f'Ray {found}' if found else 'no Ray'}, "
                f"and the cluster Ray {field['ray']}: pin `ray=={field['ray']}` in its manifest"
            )
        (place / "hook").mkdir(exist_ok=True)
        shutil.copyfile(_ray_worker.__file__, place / "hook" / "uvenv_ray_worker.py")
        (place / "snapshot.json").write_text(json.dumps(snapshot))
        return await asyncio.to_thread(_size, place)

    def modify_context(self, uris: list[str], runtime_env: Any, context: Any, logger: logging.Logger) -> None:  # noqa: ARG002
        """Lets workers start with the environment's Python, and check first that it is the right one."""
        field = runtime_env.get(FIELD)
        if field is None:
            return
        place = _place(_uri(field))
        environment = Path(json.loads((place / "snapshot.json").read_text())["environment"])
        variables: dict[str, str] = context.env_vars
        paths = [str(place / "hook"), variables.get("PYTHONPATH") or os.environ.get("PYTHONPATH", "")]
        own = variables.get(_HOOK, "")
        variables |= {
            "PATH": os.pathsep.join([str(environment / "bin"), variables.get("PATH") or os.environ.get("PATH", "")]),
            "VIRTUAL_ENV": str(environment),
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "UVENV_RAY_SNAPSHOT": str(place / "snapshot.json"),
            "UVENV_RAY_HOOK": "" if own.startswith(f"{__name__}.") else own,
            _HOOK: "uvenv_ray_worker.check",
        }
        context.py_executable = shlex.quote(str(environment / "bin" / "python"))

    def delete_uri(self, uri: str, logger: logging.Logger) -> int:  # noqa: ARG002
        """Removes an environment that nobody uses. Returns its size in bytes."""
        place = _place(uri)
        users = self._users.get(place, set())
        users.discard(uri)
        if users:
            return 0
        size = _size(place)
        shutil.rmtree(place, ignore_errors=True)
        return size


def _on_node(field: dict[str, Any], runtime_env: Any) -> dict[str, Any]:
    """Returns a field with the paths on this node, where Ray has unpacked what was shipped."""
    if field["monorepo"] is not None:
        return field
    # Other environments can set the variable too, but to a directory beside this one.
    beside = Path(os.environ["RAY_RUNTIME_ENV_CREATE_WORKING_DIR"]).parent
    root = get_local_dir_from_uri(runtime_env.working_dir_uri(), str(beside))
    return field | {"monorepo": str(root), **{name: str(root / field[name]) for name in ("lockfile", "vendored")}}


def _check_node(field: dict[str, Any]) -> None:
    """Rejects what would fail later, and less clearly."""
    node = socket.gethostname()
    for what, here, there in [("Python", _python(), field["python"]), ("Ray", ray.__version__, field["ray"])]:
        if here != there:
            raise RuntimeError(f"uvenv on {node}: the node has {what} {here}, and the driver {what} {there}")
    lockfile = Path(field["lockfile"])
    if not lockfile.exists():
        raise RuntimeError(
            f"uvenv on {node}: there is no {lockfile}: the monorepo has to be at the same path on each node"
        )
    if _sha256(lockfile) != field["sha256"]:
        raise RuntimeError(f"uvenv on {node}: {lockfile} is not that of the driver")


async def _sync(field: dict[str, Any], place: Path, logger: logging.Logger) -> Path:
    """Syncs the environment in `place`, in a process of its own: the variables are those of one environment."""
    # Ray compares the whole version of its Python with that of workers.
    interpreter = str(getattr(sys, "_base_executable", sys.executable))
    command = [sys.executable, "-m", "uvenv", "-C", field["monorepo"], "sync", "--frozen", "--message-format", "json"]
    command += ["--profile", field["profile"], "--backend", field["backend"], "--python", interpreter]
    if field["vendored"] is not None:
        command += ["--vendored", field["vendored"]]
    variables = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    variables |= {"UV_PROJECT_ENVIRONMENT": str(place / ".venv")}
    place.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *command, env=variables, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        stdout, stderr = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        raise
    logger.info("%s", stderr.decode(errors="replace"))
    messages = [json.loads(line) for line in stdout.decode().splitlines() if line.startswith("{")]
    for message in messages:
        if message["reason"] == "sync-finished":
            return Path(message["environment"])
        if message["reason"] == "error":
            parts = [f"uvenv on {socket.gethostname()}: error[{message['code']}]: {message['message']}"]
            parts += [f"help: {message['help']}"] if message["help"] else []
            parts += [stderr.decode(errors="replace").strip()]
            raise RuntimeError("\n".join(part for part in parts if part))
    raise RuntimeError(f"uvenv on {socket.gethostname()}: {stderr.decode(errors='replace').strip()}")


def _uri(field: dict[str, Any]) -> str:
    content = {name: value for name, value in field.items() if name != "attempt"}
    text = json.dumps(content, sort_keys=True)
    return f"{FIELD}://{hashlib.sha256(text.encode()).hexdigest()[:32]}/{field['attempt']}"


def _place(uri: str) -> Path:
    """Returns the directory of an environment, on a disk of this node."""
    named = os.environ.get("UVENV_RAY_DIR")
    directory = Path(named) if named else Path(tempfile.gettempdir()) / f"uvenv-ray-{os.getuid()}"
    if not named:
        directory.mkdir(mode=0o700, exist_ok=True)
        # All users can write there, and another can have made it before.
        if directory.lstat().st_uid != os.getuid():
            raise RuntimeError(
                f"uvenv on {socket.gethostname()}: {directory} is another user's: name another with UVENV_RAY_DIR"
            )
    return directory / uri.removeprefix(f"{FIELD}://").partition("/")[0]


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _size(directory: Path) -> int:
    return sum(path.lstat().st_size for path in directory.rglob("*") if not path.is_dir())

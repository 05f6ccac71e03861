"""Environments of a monorepo for Ray: its tasks, actors and jobs.

Each node of the cluster needs `cargo-uvenv[ray]` beside its Ray, and is started with the variables of `start_args`.
"""

# Ray is not there where the package is checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

import asyncio
import atexit
import fcntl
import hashlib
import json
import logging
import os
import platform
import shlex
import shutil
import signal
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

_NEXT_HOOK = "UVENV_RAY_HOOK"
"""The variable with the function that is called after the worker was checked."""

_KEYS = {"profile", "backend", "monorepo", "vendored", "lockfile", "sha256", "python", "ray", "attempt"}

_OTHER_ENVIRONMENTS = ("pip", "uv", "conda", "image_uri", "container")
"""Fields of Ray that choose what is installed."""


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
    monorepo: Monorepo | str | os.PathLike[str] | None = None,
    ship: bool = False,
    attempt: int = 0,
    **fields: Any,
) -> dict[str, Any]:
    """Returns the `runtime_env` with which workers run in the environment of a profile.

    It is for `ray.init`, jobs, tasks and actors. Each node makes the environment once, on its own disk, when its first
    worker needs it, from the lockfile as it is. The monorepo has to be at the same path on each node, unless
    it is shipped.

    Args:
        profile: The profile: dev, staging or prod.
        backend: The GPU backend.
        vendored: A directory made by `vendor`, at the same path on each node, to install from without index and git.
        monorepo: The monorepo, or a directory in it; by default, that of the current directory.
        ship: Whether Ray brings the manifest, the lockfile and the vendored directory to the nodes, as its
            `working_dir`, which is then in use. Ray limits its size.
        attempt: Another number than before lets a node try at once again what has failed. Ray remembers a failure, for
            ten minutes or, with `start_args`, for a second after it has been asked again.
        fields: Other fields of Ray, such as `env_vars` and `working_dir`. To change `env_vars` afterwards would lose
            the variable with which a node without the plug-in rejects tasks.

    Returns:
        The dictionary.

    Raises:
        BackendRequired: The profile has backends, and none is selected.
        MissingLockfile: The profile was never locked.
        StaleLockfile: The pins of the lockfile are not those of the manifest.
        ValueError: `ship` is used without a vendored directory, or a field of Ray does not go with an environment.

    Example:
        >>> @ray.remote(runtime_env=uvenv.ray.runtime_env("prod", backend="cu124"))
        ... def train():
        ...     import bench_utils
    """
    _reject_other_environments(fields)
    if ship and (vendored is None or not Path(vendored).is_dir()):
        raise ValueError(f"`ship` needs a vendored directory, and {vendored!r} is none")
    if ship and "working_dir" in fields:
        raise ValueError("`ship` brings the monorepo as the `working_dir`, and another one was given")
    repo = monorepo if isinstance(monorepo, Monorepo) else Monorepo.discover(monorepo)
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
        "attempt": int(attempt),
    }
    variables = dict(fields.pop("env_vars", None) or {})
    hook = fields.pop("worker_process_setup_hook", None)
    if hook is not None and not isinstance(hook, str):
        raise ValueError('`worker_process_setup_hook` has to be the name of a function: "module.function"')
    if hook:
        variables[_NEXT_HOOK] = hook
    # A node without the plug-in would ignore the field, and run in another environment.
    variables[_HOOK] = f"{__name__}.{plugin_is_missing.__name__}"
    environment: dict[str, Any] = {**fields, FIELD: field, "env_vars": variables}
    if ship and vendored is not None:
        field |= {"monorepo": None, "lockfile": f"{profile}/uv.lock", "vendored": "vendored"}
        environment["working_dir"] = _shipped(repo, profile, Path(vendored))
        if ray.is_initialized():
            # Ray does so itself for `ray.init` alone.
            environment = upload_working_dir_if_needed(environment, include_gitignore=False)
    return environment


def _reject_other_environments(fields: Any) -> None:
    # A driver that `uv run` has started has `py_executable` from Ray itself. It is replaced.
    for name in _OTHER_ENVIRONMENTS:
        if fields.get(name):
            raise ValueError(f"`{name}` does not go with an environment of uvenv: change the manifest of the profile")


def _failure(problem: str) -> RuntimeError:
    """Returns the error with which this node fails tasks."""
    return RuntimeError(f"uvenv on {socket.gethostname()}: {problem}")


def _is_known(field: Any) -> bool:
    """Whether `runtime_env` can have made a field."""
    return isinstance(field, dict) and field.keys() >= _KEYS


def _field_of(runtime_env: Any) -> dict[str, Any] | None:
    """Returns the field, if there is one. Rejects one that `runtime_env` has not made."""
    field: dict[str, Any] | None = runtime_env.get(FIELD)
    if field is not None and not _is_known(field):
        raise ValueError(f"the field `{FIELD}` has to be that of `uvenv.ray.runtime_env`")
    if field is not None:
        _reject_other_environments(runtime_env)
    return field


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
        self._turns: dict[Path, asyncio.Lock] = {}
        # Held open while this node uses an environment: several nodes on one machine can have the same directory.
        self._claims: dict[Path, Any] = {}

    @staticmethod
    def validate(runtime_env_dict: dict[str, Any]) -> None:
        """Rejects a field that `runtime_env` has not made, and fields of Ray that do not go with it."""
        _field_of(runtime_env_dict)

    def get_uris(self, runtime_env: Any) -> list[str]:
        """Returns what names the environment: the hash of all that decides what is in it."""
        field = runtime_env.get(FIELD)
        if field is None:
            return []
        # Ray shows no errors from here. `create` rejects it.
        return [_uri(field) if _is_known(field) else f"{FIELD}://unknown/0"]

    async def create(self, uri: str | None, runtime_env: Any, context: Any, logger: logging.Logger) -> int:  # noqa: ARG002
        """Makes the environment. Returns its size in bytes. An exception fails the task, with its text."""
        try:
            field = cast("dict[str, Any]", _field_of(runtime_env))
        except ValueError as error:
            raise _failure(str(error)) from error
        place = _place(_uri(field))
        field = _on_node(field, runtime_env)
        _check_node(field)
        # Ray makes one for each combination with other fields.
        async with self._turns.setdefault(place, asyncio.Lock()):
            if place not in self._claims:
                self._claims[place] = await asyncio.to_thread(_claim, place)
            place.mkdir(exist_ok=True)
            users = self._users.setdefault(place, set())
            users.add(uri or "")
            try:
                snapshot = await _made(field, place, logger)
            except BaseException:
                users.discard(uri or "")
                raise
            _replace(_worker_hook(place), Path(_ray_worker.__file__).read_text())
            _replace(place / "snapshot.json", json.dumps(snapshot))
            return await asyncio.to_thread(_size, place)

    def modify_context(self, uris: list[str], runtime_env: Any, context: Any, logger: logging.Logger) -> None:  # noqa: ARG002
        """Lets workers start with the environment's Python, and check first that it is the right one."""
        field = _field_of(runtime_env)
        if field is None:
            return
        place = _place(_uri(field))
        try:
            environment = Path(json.loads((place / "snapshot.json").read_text())["environment"])
        except OSError as error:
            raise _failure(_ray_worker.removed(place)) from error
        variables: dict[str, str] = context.env_vars
        paths = [str(_worker_hook(place).parent), variables.get("PYTHONPATH") or os.environ.get("PYTHONPATH", "")]
        own = variables.get(_HOOK, "")
        variables |= {
            "PATH": os.pathsep.join([str(environment / "bin"), variables.get("PATH") or os.environ.get("PATH", "")]),
            "VIRTUAL_ENV": str(environment),
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "UVENV_RAY_SNAPSHOT": str(place / "snapshot.json"),
            _HOOK: "uvenv_ray_worker.check",
        }
        if own and not own.startswith(f"{__name__}."):
            variables[_NEXT_HOOK] = own
        python, node = (shlex.quote(str(path)) for path in (environment / "bin" / "python", sys.executable))
        # Ray keeps this. If the environment is gone then, no worker would start, and its tasks would wait: the
        # node's own Python tells them why.
        context.py_executable = f'"$(if test -x {python}; then echo {python}; else echo {node}; fi)"'

    def delete_uri(self, uri: str, logger: logging.Logger) -> int:  # noqa: ARG002
        """Removes an environment that nobody uses. Returns its size in bytes."""
        place = _place(uri)
        users = self._users.get(place, set())
        users.discard(uri)
        if users:
            return 0
        claim = self._claims.pop(place, None)
        if claim is not None:
            claim.close()
        size = _size(place)
        _remove(place)
        return size


def _on_node(field: dict[str, Any], runtime_env: Any) -> dict[str, Any]:
    """Returns a field with the paths on this node, where Ray has unpacked what was shipped."""
    if field["monorepo"] is not None:
        return field
    # Other environments can set the variable too, but to a directory beside this one.
    beside, uri = os.environ.get("RAY_RUNTIME_ENV_CREATE_WORKING_DIR"), runtime_env.working_dir_uri()
    root = get_local_dir_from_uri(uri, str(Path(beside).parent)) if beside and uri else None
    if root is None or not (root / field["lockfile"]).exists():
        raise _failure("what was shipped is not there: `ship` needs the `working_dir` for itself")
    return field | {"monorepo": str(root), **{name: str(root / field[name]) for name in ("lockfile", "vendored")}}


def _check_node(field: dict[str, Any]) -> None:
    """Rejects what would fail later, and less clearly."""
    for what, here, there in [("Python", _python(), field["python"]), ("Ray", ray.__version__, field["ray"])]:
        if here != there:
            raise _failure(f"the node has {what} {here}, and the driver {what} {there}")
    lockfile = Path(field["lockfile"])
    if not lockfile.exists():
        raise _failure(f"there is no {lockfile}: the monorepo has to be at the same path on each node")
    if _sha256(lockfile) != field["sha256"]:
        raise _failure(f"{lockfile} is not that of the driver: bring the same to each node")


async def _made(field: dict[str, Any], place: Path, logger: logging.Logger) -> dict[str, Any]:
    """Makes an environment. Returns what is installed in it, which has to have the Ray of the cluster."""
    snapshot = _ray_worker.snapshot(await _sync(field, place, logger))
    found = snapshot["distributions"].get("ray")
    if found != field["ray"]:
        raise _failure(
            f"{field['profile']} has {f'Ray {found}' if found else 'no Ray'}, "
            f"and the cluster Ray {field['ray']}: pin `ray=={field['ray']}` in its manifest"
        )
    return snapshot


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
    process = await asyncio.create_subprocess_exec(
        *command,
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = await process.communicate()
    except asyncio.CancelledError:
        # uv too.
        os.killpg(process.pid, signal.SIGTERM)
        raise
    logger.info("%s", stderr.decode(errors="replace"))
    messages = [json.loads(line) for line in stdout.decode().splitlines() if line.startswith("{")]
    for message in messages:
        if message["reason"] == "sync-finished":
            return Path(message["environment"])
        if message["reason"] == "error":
            parts = [f"error[{message['code']}]: {message['message']}"]
            parts += [f"help: {message['help']}"] if message["help"] else []
            parts += [stderr.decode(errors="replace").strip()]
            raise _failure("\n".join(part for part in parts if part))
    raise _failure(stderr.decode(errors="replace").strip())


def _uri(field: dict[str, Any]) -> str:
    content = {name: value for name, value in field.items() if name != "attempt"}
    text = json.dumps(content, sort_keys=True)
    return f"{FIELD}://{hashlib.sha256(text.encode()).hexdigest()[:32]}/{field['attempt']}"


def _place(uri: str) -> Path:
    """Returns the directory of an environment, on a disk of this node."""
    return _directory() / uri.removeprefix(f"{FIELD}://").partition("/")[0]


def _directory() -> Path:
    named = os.environ.get("UVENV_RAY_DIR")
    directory = Path(named or Path(tempfile.gettempdir()) / f"uvenv-ray-{os.getuid()}").expanduser()
    # Ray replaces variables in those that workers get, and Python separates paths.
    if not directory.is_absolute() or {"$", os.pathsep} & set(str(directory)):
        raise _failure(f"UVENV_RAY_DIR has to be absolute and without `$` and `:`: {directory}")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_own = directory.lstat().st_uid == os.getuid()
    except OSError as error:
        raise _failure(
            f"cannot make the directory for environments: {error}: name another with UVENV_RAY_DIR"
        ) from error
    # All users can write to the directory for temporary files, and another can have made it before.
    if not named and not is_own:
        raise _failure(f"{directory} is another user's: name another one with UVENV_RAY_DIR")
    return directory


def _worker_hook(place: Path) -> Path:
    """Returns the file that workers import. It stays when an environment is removed, to tell them so."""
    return place.parent / "hook" / "uvenv_ray_worker.py"


def _claim(place: Path) -> Any:
    """Keeps an environment from being removed by other nodes on this machine, until what is returned is closed."""
    file = _lock(place).open("a")
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def _remove(place: Path) -> None:
    """Removes an environment, unless another node on this machine uses it."""
    with _lock(place).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        shutil.rmtree(place, ignore_errors=True)


def _lock(place: Path) -> Path:
    return place.with_name(f"{place.name}.lock")


def _replace(path: Path, text: str) -> None:
    """Writes a file, of which others read all or nothing."""
    path.parent.mkdir(exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text)
    new.replace(path)


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _size(directory: Path) -> int:
    return sum(path.lstat().st_size for path in directory.rglob("*") if not path.is_dir())

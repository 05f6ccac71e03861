"""A cluster of three nodes on this machine, each with its own caches and environments."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Else Ray looks for an address by which other machines reach this one.
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"

import psutil
import pytest
import ray
from conftest import DOCS, SlowPackage, command_line
from ray.cluster_utils import Cluster
from ray.job_submission import JobStatus, JobSubmissionClient
from test_docs import Block, blocks, run_python, run_session

import uvenv
import uvenv.ray

PLUGINS = "RAY_RUNTIME_ENV_PLUGINS"

# A job whose driver and tasks say where they are.
EVALUATION = """
import json, sys, ray, bench_utils
ray.init()
@ray.remote
def prefix(): return sys.prefix
print(json.dumps([sys.prefix, ray.get(prefix.remote())]))
"""


class Nodes:
    """The nodes of a cluster; a task finds one by the resource of its name."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.cluster = Cluster(shutdown_at_exit=False)
        self._nodes: dict[str, Any] = {}

    def start(self, name: str, **options: Any) -> None:
        own = {
            "UVENV_CACHE_DIR": str(self.directory / name / "uvenv"),
            "UV_CACHE_DIR": str(self.directory / name / "uv"),
            PLUGINS: uvenv.ray.PLUGINS,
            # Ray's own patience with what fails.
            "RUNTIME_ENV_RETRY_INTERVAL_MS": "100",
            "BAD_RUNTIME_ENV_CACHE_TTL_SECONDS": "1",
        }
        self._nodes[name] = self.cluster.add_node(
            # For each it has a worker ready, in no environment.
            num_cpus=1,
            node_ip_address="127.0.0.1",
            resources={name: 100},
            env_vars=own | options.pop("env_vars", {}),
            **options,
        )

    def connect(self) -> None:
        ray.init(address=self.cluster.address, log_to_driver=False)

    def kill(self, name: str) -> set[int]:
        """What pulling the plug does: all of its processes end at once, and nothing is tidied up."""
        node = self._nodes.pop(name)
        started = [psutil.Process(info.process.pid) for infos in node.all_processes.values() for info in infos]
        processes = {child for process in started for child in process.children(recursive=True)} | set(started)
        for process in processes:
            process.kill()
        self.cluster.remove_node(node, allow_graceful=False)
        return {process.pid for process in processes}

    def stop(self, name: str) -> None:
        self.cluster.remove_node(self._nodes.pop(name))

    def environments(self, name: str) -> set[str]:
        """The environments that a node has, without the end of their names."""
        directory = self.directory / name / "uvenv" / "ray"
        return {path.name.rpartition("-")[0] for path in directory.glob("*")}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    nodes = Nodes(tmp_path_factory.mktemp("nodes"))
    nodes.start("one")
    nodes.start("two")
    nodes.start("three")
    nodes.connect()
    yield nodes
    ray.shutdown()
    nodes.cluster.shutdown()


@pytest.fixture(scope="module")
def with_ray(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A monorepo whose dev and prod have Ray; staging has none."""
    root = tmp_path_factory.mktemp("ray") / "bench"
    shutil.copytree(template, root, symlinks=True)
    for manifest in (root / "pyproject.toml", root / "prod" / "pyproject.toml"):
        text = manifest.read_text()
        text = text.replace("dependencies = [", f'dependencies = [\n    "ray[default]=={ray.__version__}",', 1)
        text = text.replace("[project.optional-dependencies]\n", '[project.optional-dependencies]\nplots = ["toolz"]\n')
        manifest.write_text(text + '\n[dependency-groups]\ndev = ["iniconfig"]\nevaluation = ["decorator"]\n')
    subprocess.run(command_line("-C", root, "lock", "--profile", "dev", "--profile", "prod"), check=True)
    return root.resolve()


@pytest.fixture
def repo_path(with_ray: Path, tmp_path: Path) -> Path:
    root = tmp_path / "bench"
    shutil.copytree(with_ray, root, symlinks=True)
    return root.resolve()


def what_a_worker_sees() -> Callable[[], dict[str, Any]]:
    def look() -> dict[str, Any]:
        import os
        import shutil
        import sys
        from importlib.metadata import distributions

        import bench_utils  # type: ignore[import-not-found]

        return {
            "prefix": sys.prefix,
            "python": shutil.which("python"),
            "activated": os.environ["VIRTUAL_ENV"],
            "bench_utils": bench_utils.__file__,
            "versions": {found.metadata["Name"]: found.version for found in distributions()},
            "pid": os.getpid(),
        }

    return look


def task(node: str, **options: Any) -> Any:
    return ray.remote(what_a_worker_sees()).options(resources={node: 1}, num_cpus=0, **options).remote()


def cuda(seen: dict[str, Any]) -> str | None:
    """The backend that a worker has, by what only that backend brings."""
    version = seen["versions"].get("nvidia-cuda-runtime-cu12")
    return None if version is None else "cu" + "".join(version.split(".")[:2])


def again(attempt: Callable[[], Any]) -> Any:
    """Tries until it works: Ray keeps a failure for a while."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(ray.exceptions.RuntimeEnvSetupError):
            return attempt()
        time.sleep(1)
    return attempt()


def test_each_node_makes_the_environments_that_its_workers_start_in(nodes: Nodes, repo: uvenv.Monorepo) -> None:
    more: dict[str, Any] = {"extra": "plots", "group": "evaluation", "no_default_groups": True}
    dev = uvenv.ray.runtime_env("dev", backend="cu128", monorepo=repo, **more)
    prod = uvenv.ray.runtime_env("prod", backend="cu124", monorepo=repo)
    places = ("one", "two", "three")
    asked = {(env["uvenv"]["profile"], node): task(node, runtime_env=env) for env in (dev, prod) for node in places}
    for (profile, node), reference in asked.items():
        seen = ray.get(reference)
        prefix = Path(seen["prefix"])
        assert prefix.is_relative_to(nodes.directory / node)
        assert seen["activated"] == str(prefix)
        assert seen["python"] == str(prefix / "bin" / "python")
        assert cuda(seen) == ("cu128" if profile == "dev" else "cu124")
        assert {"toolz", "iniconfig", "decorator"} & set(seen["versions"]) == (
            {"toolz", "decorator"} if profile == "dev" else {"iniconfig"}
        )
        # Editable, and from its pin.
        assert Path(seen["bench_utils"]).is_relative_to(repo.root if profile == "dev" else prefix)
    for node in places:
        assert nodes.environments(node) == {"dev-cu128", "prod-cu124"}
    assert not [profile for profile in repo.profiles.values() if profile.environment.exists()]


@pytest.mark.usefixtures("nodes")
def test_actors_of_all_backends_and_profiles_live_side_by_side(repo: uvenv.Monorepo) -> None:
    class Actor:
        def look(self, look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
            return look()

    kinds = [("dev", "cu124"), ("dev", "none"), ("prod", "cu124"), ("prod", "cu128")]
    envs = [uvenv.ray.runtime_env(profile, backend=backend, monorepo=repo) for profile, backend in kinds]
    actor: Any = ray.remote(Actor)
    actors = [actor.options(runtime_env=env, resources={"two": 1}, num_cpus=0).remote() for env in envs]
    seen = ray.get([actor.look.remote(what_a_worker_sees()) for actor in actors])
    assert [cuda(one) or "none" for one in seen] == [backend for _, backend in kinds]
    assert len({one["prefix"] for one in seen}) == len({one["pid"] for one in seen}) == len(kinds)
    for actor in actors:
        ray.kill(actor)


@pytest.mark.usefixtures("nodes")
def test_a_node_makes_an_environment_once(repo: uvenv.Monorepo, slow_package: SlowPackage) -> None:
    repo.lock("dev")

    def env(number: int) -> dict[str, Any]:
        # Ray takes these for different ones.
        ours = uvenv.ray.runtime_env("dev", backend="none", monorepo=repo)
        return ours | {"env_vars": ours["env_vars"] | {"NUMBER": str(number)}}

    asked = [task("two", runtime_env=env(number)) for number in range(3)]
    slow_package.wait_until_it_is_built()
    builder = slow_package.builder()
    assert not ray.wait(asked, timeout=1)[0]
    slow_package.be_quick()
    (prefix,) = {seen["prefix"] for seen in ray.get(asked)}
    assert ray.get(task("two", runtime_env=env(3)))["prefix"] == prefix
    assert slow_package.builder() == builder


def test_a_node_that_died_while_it_made_an_environment_comes_back(
    nodes: Nodes, repo: uvenv.Monorepo, slow_package: SlowPackage
) -> None:
    repo.lock("dev")
    asked = task("three", runtime_env=uvenv.ray.runtime_env("dev", backend="cu124", monorepo=repo))
    slow_package.wait_until_it_is_built()
    builder = slow_package.builder()
    assert builder in nodes.kill("three")
    assert not ray.wait([asked], timeout=1)[0]
    slow_package.be_quick()
    nodes.start("three")
    seen = ray.get(asked)
    assert slow_package.builder() != builder
    assert seen["versions"]["slow"] == "1"
    assert Path(seen["prefix"]).is_relative_to(nodes.directory / "three")


def test_a_failure_is_told_in_the_words_of_uvenv_and_heals(nodes: Nodes, repo: uvenv.Monorepo, tmp_path: Path) -> None:
    python = ".".join(map(str, sys.version_info[:2]))
    wheelhouse = repo.vendor("prod", backend="cu124", python=python, output=tmp_path / "wheelhouse").directory
    env = uvenv.ray.runtime_env("prod", backend="cu124", vendored=wheelhouse, monorepo=repo)
    before = nodes.environments("one")
    wheel = next((wheelhouse / "wheels").glob("print_utils-*"))
    wheel.rename(tmp_path / wheel.name)
    with pytest.raises(ray.exceptions.RuntimeEnvSetupError) as raised:
        ray.get(task("one", runtime_env=env))
    assert "error[vendor-altered]" in str(raised.value)
    assert f"{wheel.name}` is missing" in str(raised.value)
    assert "= help: vendor it again" in str(raised.value)
    assert nodes.environments("one") == before
    (tmp_path / wheel.name).rename(wheel)
    seen = again(lambda: ray.get(task("one", runtime_env=env)))
    assert cuda(seen) == "cu124"


@pytest.mark.usefixtures("nodes")
def test_what_a_worker_could_not_start_in_is_refused(repo: uvenv.Monorepo) -> None:
    staging = uvenv.ray.runtime_env("staging", backend="none", monorepo=repo)
    prod = uvenv.ray.runtime_env("prod", backend="none", monorepo=repo)
    elsewhere = prod | {"uvenv": prod["uvenv"] | {"root": str(repo.root / "gone")}}
    lockfile = repo.profiles["prod"].lockfile
    lockfile.write_text(lockfile.read_text() + "\n# Of another commit.\n")

    def refused(code: str, message: str, help: str) -> str:
        return f"error[{code}]: {message}\n |\n = help: {help}"

    version = f"the environment of staging has no Ray, and this node runs Ray {ray.__version__}"
    other = f"`{lockfile}` on this node is not the lockfile of the driver"
    both = "`uvenv` and `{}` in one runtime_env both choose the environment"
    without_uv_run = (
        "leave `py_executable` out; where `uv run` has started the driver and Ray put it there, start it with "
        "`cargo uvenv run`, or set RAY_ENABLE_UV_RUN_RUNTIME_ENV=0"
    )
    expected = [
        (staging, refused("ray-version", version, f'depend on "ray=={ray.__version__}" in its manifest, and lock it')),
        (prod, refused("ray-lockfile", other, "bring the monorepo to the same commit on all nodes")),
        (prod | {"pip": ["six"]}, refused("ray-conflict", both.format("pip"), "leave `pip` out")),
        (prod | {"py_executable": "python3"}, refused("ray-conflict", both.format("py_executable"), without_uv_run)),
        (elsewhere, f"{repo.root / 'gone'}`: No such file or directory"),
    ]
    asked = [task("one", runtime_env=env) for env, _ in expected]
    for reference, (_, text) in zip(asked, expected, strict=True):
        with pytest.raises(ray.exceptions.RuntimeEnvSetupError) as raised:
            ray.get(reference)
        assert text in str(raised.value)


def test_a_node_without_the_plugin_starts_no_worker(nodes: Nodes, repo: uvenv.Monorepo) -> None:
    class Actor:
        def ping(self) -> None: ...

    nodes.start("bare", env_vars={PLUGINS: "[]"})
    env = uvenv.ray.runtime_env("prod", backend="none", monorepo=repo)
    actor: Any = ray.remote(Actor).options(runtime_env=env, resources={"bare": 1}, num_cpus=0).remote()
    with pytest.raises(ray.exceptions.RayActorError) as raised:
        ray.get(actor.ping.remote())
    assert "error[ray-plugin]" in str(raised.value)
    assert f"= help: start Ray on each node with {PLUGINS}='{uvenv.ray.PLUGINS}'" in str(raised.value)
    nodes.stop("bare")


def test_what_is_asked_for_wrongly_is_refused_before_any_node_is_asked(repo: uvenv.Monorepo) -> None:
    with pytest.raises(uvenv.BackendRequired):
        uvenv.ray.runtime_env("prod", monorepo=repo)
    with pytest.raises(uvenv.UnknownBackend):
        uvenv.ray.runtime_env("prod", backend="cu999", monorepo=repo)
    with pytest.raises(uvenv.InvalidArguments, match="nightly"):
        uvenv.ray.runtime_env("nightly", backend="auto", monorepo=repo)
    repo.profiles["prod"].lockfile.unlink()
    for backend in ("cu124", "auto"):
        with pytest.raises(uvenv.MissingLockfile, match=r"prod/uv\.lock"):
            uvenv.ray.runtime_env("prod", backend=backend, monorepo=repo)


def test_it_is_made_of_plain_values(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("UVENV_PROFILE", "prod")
    monkeypatch.delenv(PLUGINS, raising=False)
    env = uvenv.ray.runtime_env(backend="auto", group=["dev"], vendored="wheelhouse")
    assert pickle.loads(pickle.dumps(env)) == json.loads(json.dumps(env)) == env
    ours = env["uvenv"]
    assert (ours["profile"], ours["backend"], ours["vendored"]) == ("prod", "auto", str(repo.root / "wheelhouse"))
    # For a cluster that starts afterwards.
    assert os.environ[PLUGINS] == uvenv.ray.PLUGINS


def test_where_the_environments_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("UVENV_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    assert uvenv.ray.directory() == Path.home() / ".cache" / "uvenv" / "ray"
    for variable, expected in (
        ("XDG_CACHE_HOME", "xdg/uvenv/ray"),
        ("UVENV_CACHE_DIR", "cache/ray"),
        ("UVENV_RAY_DIR", "ray"),
    ):
        monkeypatch.setenv(variable, str(tmp_path / expected.partition("/")[0]))
        assert uvenv.ray.directory() == tmp_path / expected


def test_without_ray_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['ray'] = None; import uvenv.ray"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith(
        "ImportError: Ray is not installed in this environment: pip install 'cargo-uvenv[ray]'\n"
    )


@pytest.fixture
def disconnected(nodes: Nodes) -> Iterator[None]:
    """Without the connection to the cluster of the other tests."""
    ray.shutdown()
    yield
    ray.shutdown()
    nodes.connect()


@pytest.mark.usefixtures("disconnected")
def test_the_guide(repo_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = DOCS / "ray.md"
    monkeypatch.chdir(repo_path)
    Path("evaluate.py").write_text(EVALUATION)
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.ExitStack() as stack:
        for block in blocks(page):
            if block.language == "console":
                stack.enter_context(started(block, monkeypatch))
            elif block.language == "python":
                run_python(page, block, names)
            else:
                run_session(page, block, names)
        driver, worker = output(names["client"], names["job"])
        assert Path(driver).is_relative_to(uvenv.ray.directory())
        assert driver == worker
        ray.shutdown()


def output(jobs: JobSubmissionClient, job: str) -> Any:
    """What a job has printed last."""
    while not (status := jobs.get_job_status(job)).is_terminal():
        time.sleep(0.2)
    said = jobs.get_job_logs(job)
    assert status == JobStatus.SUCCEEDED, said + str(jobs.get_job_info(job))
    return json.loads(said.splitlines()[-1])


@contextlib.contextmanager
def started(block: Block, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A node that was started as the page says, on an address and a port of ours."""
    variable, command = re.findall(r"^\$ (.+)$", block.source, re.MULTILINE)
    assert variable == f"export {PLUGINS}='{uvenv.ray.PLUGINS}'"
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    program = shutil.which("ray", path=sysconfig.get_path("scripts"))
    ours = ["--block", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=1"]
    # Not those of the other cluster.
    ours += ["--dashboard-port=0", "--dashboard-agent-listen-port=0"]
    arguments = [*shlex.split(command.replace("ray", str(program), 1)), *ours]
    with subprocess.Popen(arguments, env={**os.environ, PLUGINS: uvenv.ray.PLUGINS}, stdout=subprocess.PIPE) as node:
        assert node.stdout
        assert any(b"Ray runtime started" in line for line in node.stdout)
        yield
        node.terminate()


@pytest.mark.usefixtures("disconnected")
def test_a_cluster_that_starts_afterwards_has_the_plugin(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PLUGINS)
    ray.init(
        "local",
        num_cpus=1,
        include_dashboard=False,
        runtime_env=uvenv.ray.runtime_env("prod", backend="none", monorepo=repo),
    )
    seen = ray.get(ray.remote(what_a_worker_sees()).remote())
    assert Path(seen["prefix"]).is_relative_to(uvenv.ray.directory())

"""Runs tasks and actors of a monorepo on a Ray cluster of several nodes on this machine, each with its own directories.

Arguments: the monorepo, its vendored directory, a directory for the nodes, and uv. Each check prints a line.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import ray
from ray.cluster_utils import Cluster
from ray.job_submission import JobSubmissionClient

import uvenv
import uvenv.ray

root, vendored, nodes, uv = (Path(argument) for argument in sys.argv[1:])
TIMEOUT = 120
repo = uvenv.Monorepo.discover(root)

# Each start of uv leaves a line, and can be held up.
COUNTING = f"""#!/bin/sh
echo "$*" >> "$UVENV_RAY_DIR/uv.log"
while [ -e "$UVENV_RAY_DIR/hold" ]; do touch "$UVENV_RAY_DIR/held"; sleep 0.1; done
exec {uv} "$@"
"""


def directory(node: str) -> Path:
    return nodes / node / "environments"


def variables(node: str) -> dict[str, str]:
    directory(node).mkdir(parents=True, exist_ok=True)
    counting = nodes / node / "uv"
    counting.write_text(COUNTING)
    counting.chmod(0o755)
    own = {
        "UVENV_RAY_DIR": str(directory(node)),
        "UVENV_CACHE_DIR": str(nodes / node / "cache"),
        "UVENV_UV": str(counting),
        "UV_OFFLINE": "1",
        # Only the first node has downloaded something before.
        "UV_CACHE_DIR": os.environ["UV_CACHE_DIR"] if node == "one" else str(nodes / node / "uv-cache"),
    }
    if node == "small":
        own["RAY_RUNTIME_ENV_UVENV_CACHE_SIZE_GB"] = "0"
    return own if node == "bare" else own | uvenv.ray.start_args()


def starts(node: str) -> int:
    log = directory(node) / "uv.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": True})


def add(node: str) -> object:
    return cluster.add_node(num_cpus=16, resources={node: 16}, env_vars=variables(node))


running = {node: add(node) for node in ("one", "two", "three", "bare", "small")}
ray.init(address=cluster.address, log_to_driver=False)


@ray.remote(max_retries=0)
def where() -> tuple[str, str, str]:
    import bench_utils
    import torch

    return sys.prefix, torch.__version__, Path(bench_utils.__file__).parts[1]


@ray.remote(max_restarts=0)
class Coroutines:
    async def where(self) -> str:
        return sys.prefix


@ray.remote(max_restarts=0)
class Actor:
    def where(self) -> tuple[str, str]:
        import torch

        return sys.prefix, torch.__version__


def prod(**more: object) -> dict:
    return uvenv.ray.runtime_env("prod", vendored=vendored, monorepo=repo, **more)


def task(node: str, environment: dict) -> ray.ObjectRef:
    return where.options(runtime_env=environment, resources={node: 1}, num_cpus=0).remote()


def answer(node: str, environment: dict) -> tuple[str, str, str]:
    return ray.get(task(node, environment), timeout=TIMEOUT)


def problem(call: Callable[[], object], kind: type[Exception] = ray.exceptions.RayError) -> str:
    """The text of the error of a call; empty if there is none."""
    try:
        call()
    except ray.exceptions.GetTimeoutError:
        raise
    except kind as error:
        return str(error)
    return ""


def refusal(node: str, environment: dict) -> str:
    start = time.monotonic()
    said = problem(lambda: answer(node, environment))
    assert said, f"{node} has run the task"
    assert time.monotonic() - start < 60, "it is an error at once"
    return said


def done(check: str) -> None:
    print(f"ok: {check}", flush=True)


# Both backends and dev, side by side.
for backend in ("cu124", "cu128"):
    for node in ("one", "two", "three"):
        prefix, torch, _ = answer(node, prod(backend=backend))
        assert Path(prefix).is_relative_to(directory(node)), prefix
        assert torch.endswith(f"+{backend}"), torch
dev = uvenv.ray.runtime_env("dev", backend="cu124", monorepo=repo)
prefix, torch, _ = answer("one", dev)
assert Path(prefix).is_relative_to(directory("one"))
assert torch.endswith("+cu124")
actors = [
    Actor.options(runtime_env=prod(backend=backend), resources={"two": 1}, num_cpus=0).remote()
    for backend in ("cu124", "cu128")
]
found = ray.get([actor.where.remote() for actor in actors], timeout=TIMEOUT)
assert [torch.rpartition("+")[2] for _, torch in found] == ["cu124", "cu128"], found
done("profiles and backends side by side")

# However many workers there are, uv is not started again.
before = {node: starts(node) for node in running}
many = prod(backend="cu124", env_vars={"NUMBER": "1"})
once = ray.remote(max_calls=1, max_retries=0, num_cpus=0)(lambda: f"{os.getpid()}")
workers = [
    once.options(runtime_env=many, resources={node: 1}).remote() for node in ("one", "two", "three") for _ in range(22)
]
assert len(set(ray.get(workers, timeout=4 * TIMEOUT))) >= 64, "each task has a worker of its own"
assert {node: starts(node) for node in running} == before
done("no uv for further workers")

# A job, whose program runs in the environment too.
client = JobSubmissionClient(f"http://{cluster.webui_url}")
program = "import sys, bench_utils, torch; print(sys.prefix, torch.__version__)"
job = client.submit_job(
    entrypoint=f'python -c "{program}"', runtime_env=prod(backend="cu128"), entrypoint_resources={"one": 1}
)
deadline = time.monotonic() + TIMEOUT
while not client.get_job_status(job).is_terminal():
    assert time.monotonic() < deadline, "the job ends"
    time.sleep(0.2)
logs = client.get_job_logs(job)
assert client.get_job_status(job) == "SUCCEEDED", logs
assert str(directory("one")) in logs, logs
assert "+cu128" in logs, logs
done("a job")

said = refusal("bare", prod(backend="cu124"))
assert "started without the plug-in" in said, said
assert "start_args" in said, said
coroutines = Coroutines.options(runtime_env=prod(backend="cu124"), resources={"bare": 1}, num_cpus=0).remote()
said = problem(lambda: ray.get(coroutines.where.remote(), timeout=TIMEOUT))
assert "started without the plug-in" in said, said
done("a node without the plug-in")

# A damaged wheel on a node that has nothing yet, and the next attempt after it was repaired.
directory("two").rename(nodes / "two before")
directory("two").mkdir()
wheel = next((vendored / "wheels").glob("bench_utils*"))
whole = wheel.read_bytes()
wheel.write_bytes(whole[:-1] + b"?")
said = refusal("two", prod(backend="cu124", attempt=1))
assert "changed-vendored-file" in said, said
assert wheel.name in said, said
wheel.write_bytes(whole)
answer("two", prod(backend="cu124", attempt=2))
done("a damaged wheel, and healed")

for name, value in (("python", "3.99"), ("ray", "1.0")):
    environment = prod(backend="cu124")
    environment["uvenv"][name] = value
    said = refusal("one", environment)
    assert value in said, said
environment = prod(backend="cu124")
environment["uvenv"]["sha256"] = "0"
assert "is not that of the driver" in refusal("one", environment)
done("another Python, Ray and lockfile")

# Other fields of Ray.
environment = prod(backend="cu124", worker_process_setup_hook="bench_utils.no_such_function")
assert "no_such_function" in refusal("one", environment)
for field, value in (("pip", ["six"]), ("worker_process_setup_hook", print)):
    said = problem(lambda more={field: value}: prod(backend="cu124", **more), ValueError)
    assert f"`{field}`" in said, said
environment = prod(backend="cu124") | {"pip": ["six"]}
assert "`pip`" in problem(lambda: uvenv.ray.Plugin.validate(environment), ValueError)
for field in ("prod", {"profile": "prod"}):
    said = refusal("one", {"uvenv": field})
    assert "`uvenv`" in said, said
# Ray itself adds it to those of a driver that `uv run` has started.
prefix, _, _ = answer("one", prod(backend="cu124") | {"py_executable": "no-such-python"})
assert Path(prefix).is_relative_to(directory("one")), prefix
done("other fields")

# An environment that is gone while Ray believes that it is there, and made again.
prefix, _, _ = answer("two", prod(backend="cu124", attempt=5))
place = Path(prefix).parent
place.rename(nodes / "gone")
for number in ("3", "4"):
    said = refusal("two", prod(backend="cu124", attempt=5, env_vars={"NUMBER": number}))
    assert f"{place} was removed" in said, said
again = Actor.options(runtime_env=prod(backend="cu124", attempt=6), resources={"two": 1}, num_cpus=0)
alive = again.remote()
ray.get(alive.where.remote(), timeout=TIMEOUT)
place.rename(nodes / "gone again")
# Ray starts its worker as it has started the first one.
late = again.remote()
said = problem(lambda: ray.get(late.where.remote(), timeout=TIMEOUT))
assert f"{place} was removed" in said, said
answer("two", prod(backend="cu124", attempt=7))
done("an environment that was removed")

# What was changed after it was made.
place = next(path for path in directory("three").glob("*/.venv*/lib/python*/site-packages/print_utils-*.dist-info"))
place.rename(place.with_name("print_utils-9.dist-info"))
both = [prod(backend=backend, env_vars={"NUMBER": "2"}) for backend in ("cu124", "cu128")]
problems = [said for environment in both if (said := problem(lambda one=environment: answer("three", one)))]
assert len(problems) == 1, problems
assert "`print_utils` is 9, and not 0.1.2" in problems[0], problems
place.with_name("print_utils-9.dist-info").rename(place)
done("an environment that was changed")

# A node that is killed while it makes an environment, and comes back.
directory("three").rename(nodes / "three before")
directory("three").mkdir()
(directory("three") / "hold").touch()
killed = task("three", prod(backend="cu124", attempt=3))
deadline = time.monotonic() + TIMEOUT
while not (directory("three") / "held").exists():
    assert time.monotonic() < deadline, "uv is started"
    time.sleep(0.1)
cluster.remove_node(running["three"], allow_graceful=False)
(directory("three") / "hold").unlink()
running["three"] = add("three")
answer("three", prod(backend="cu124", attempt=4))
done("a node that was killed")

# What Ray brings to the nodes itself.
shipped = prod(backend="cu128", ship=True)
kept = vendored.rename(vendored.with_name("elsewhere"))
prefix, torch, _ = answer("two", shipped)
assert torch.endswith("+cu128"), torch
kept.rename(vendored)
done("a node that has nothing")

# Other environments of Ray are not touched.
assert ray.get(ray.remote(lambda: sys.prefix).options(resources={"one": 1}).remote(), timeout=TIMEOUT) == sys.prefix
prefix, _, _ = answer("small", prod(backend="cu124"))
assert Path(prefix).exists()
ray.shutdown()
deadline = time.monotonic() + TIMEOUT
while Path(prefix).exists():
    assert time.monotonic() < deadline, "what nobody uses is removed"
    time.sleep(0.2)
done("a node without room")
cluster.shutdown()

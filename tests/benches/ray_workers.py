"""The start of a Ray worker in a profile's environment, against Ray with a bare interpreter and with `uv run`, in turn.

    python3 tests/benches/ray_workers.py [--runs N]

Runs in an environment with `cargo-uvenv[ray]` and uv, and needs git and your index, for Ray itself. Each run is a new
worker: a task after which it ends.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import ray
import uv

import uvenv.ray

MANIFEST = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["ray=={ray}"]
"""

DEV = """
[tool.uvenv.profiles]
prod = "prod"
"""


@ray.remote(max_calls=1)
def where() -> str:
    """Return the environment of the worker."""
    return sys.prefix


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="how many workers are started of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uvenv-bench-") as directory:
        root = Path(directory) / "repo"
        (root / "prod").mkdir(parents=True)
        (root / "pyproject.toml").write_text(MANIFEST.format(name="bench", ray=ray.__version__) + DEV)
        (root / "prod/pyproject.toml").write_text(MANIFEST.format(name="bench-prod", ray=ray.__version__))
        repo = uvenv.Monorepo.discover(root)
        repo.lock("prod")
        python = repo.sync("prod", frozen=True, python=sys.executable).environment / "bin/python"
        os.environ |= uvenv.ray.start_args() | {"UVENV_RAY_DIR": str(Path(directory) / "environments")}
        ray.init(
            address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1"
        )
        command = [uv.find_uv_bin(), "run", "--project", str(root / "prod"), "--frozen", "--offline"]
        kinds = {
            "bare `py_executable`": {"py_executable": str(python)},
            "`uv run`": {"py_executable": " ".join(command)},
            "uvenv": uvenv.ray.runtime_env("prod", monorepo=repo),
        }
        print(f"Ray {ray.__version__}, {os.cpu_count()} cores, medians of {options.runs} workers\n")
        first = {kind: start(environment) for kind, environment in kinds.items()}
        warm: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(options.runs):
            for kind, environment in kinds.items():
                warm[kind].append(start(environment))
        bare = statistics.median(warm["bare `py_executable`"])
        print("| worker | first | warm | ratio |\n| --- | --- | --- | --- |")
        for kind, times in warm.items():
            median = statistics.median(times)
            print(f"| {kind} | {first[kind]:.2f} s | {median:.2f} s | {median / bare:.2f} |")


def start(environment: dict) -> float:
    """Return how long a task takes that starts a worker, in seconds."""
    begin = time.perf_counter()
    ray.get(where.options(runtime_env=environment).remote(), timeout=300)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()

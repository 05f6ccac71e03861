"""Vendoring, syncs from a vendored directory and verification, against pip, uv and sha256sum, in turn.

    python3 tests/benches/vendoring.py [--runs N]

Needs what `commands.py` needs, and the network: it locks jupyterlab, pandas and scipy with all that they require, from
your index, and downloads them several times; and, once, three times as many distributions.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from commands import Tools, compare, find_tools, shown, times, version

MANIFEST = """\
[project]
name = "bench-prod"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [{dependencies}]
"""

SOME = ["jupyterlab", "pandas", "scipy"]
MANY = [
    *SOME,
    *["bokeh", "boto3", "celery", "dask[complete]", "django", "fastapi[all]", "matplotlib", "mlflow", "networkx"],
    *["opencv-python-headless", "plotly", "polars", "pyarrow", "scikit-learn", "scrapy", "seaborn", "sphinx"],
    *["sqlalchemy", "statsmodels", "sympy", "tensorboard", "transformers", "xarray"],
]

DEV = """\
[project]
name = "bench"
version = "0.1.0"
requires-python = ">=3.11"

[tool.uvenv.profiles]
prod = "prod"
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="how often each command runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uvenv-bench-") as directory:
        place = Path(directory)
        tools = find_tools(place)
        print(f"{version(tools.uv)}, {os.cpu_count()} cores, medians of {options.runs}\n")
        some = locked(tools, place / "some", SOME)
        measure_vendor(tools, some, options.runs)
        for root in (some, locked(tools, place / "many", MANY)):
            measure_sync(tools, root, options.runs)
            measure_verify(tools, root, options.runs)


def locked(tools: Tools, root: Path, dependencies: list[str]) -> Path:
    """Make a monorepo with these dependencies of prod."""
    (root / "prod").mkdir(parents=True)
    (root / "pyproject.toml").write_text(DEV)
    quoted = ", ".join(f'"{dependency}"' for dependency in dependencies)
    (root / "prod/pyproject.toml").write_text(MANIFEST.format(dependencies=quoted))
    subprocess.run([*tools.uvenv, "lock", "--profile", "prod"], cwd=root, env=tools.variables, check=True)
    return root


def measure_vendor(tools: Tools, root: Path, runs: int) -> None:
    """Nothing downloaded yet, and nothing to do; pip takes the same files by the same hashes."""
    tools.variables["PIP_NO_CACHE_DIR"] = "1"
    export = [tools.uv, "export", "--quiet", "--project", "prod", "--frozen", "--no-emit-project", "--format"]
    exported = subprocess.run(
        [*export, "requirements-txt"], cwd=root, env=tools.variables, check=True, capture_output=True, text=True
    )
    (root / "requirements.txt").write_text(exported.stdout)
    pip_python = root / "pip/bin/python"
    subprocess.run(
        [tools.uv, "venv", "--quiet", "--seed", str(root / "pip")], cwd=root, env=tools.variables, check=True
    )
    pip = [str(pip_python), "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    pip += ["--dest", "downloaded", "-r", "requirements.txt"]
    vendor = [*tools.uvenv, "vendor", "--profile", "prod", "-o", "vendored"]

    def forget() -> None:
        for name in ("downloaded", "vendored"):
            shutil.rmtree(root / name, ignore_errors=True)

    compare(tools, root, "vendor, against pip download", [pip], [vendor], runs=runs, limit=None, before=forget)
    subprocess.run(vendor, cwd=root, env=tools.variables, check=True, capture_output=True)
    wheels = list((root / "vendored/wheels").iterdir())
    size = sum(wheel.stat().st_size for wheel in wheels) / 1e6
    [again] = times(tools, root, [[vendor]], runs)
    print(f"  {f'vendor again, {len(wheels)} wheels of {size:.0f} MB':<52} {again * 1e3:8.2f} ms (limit 300)\n")


def measure_sync(tools: Tools, root: Path, runs: int) -> None:
    """A new environment, with all wheels in uv's cache, whether from the index or from the directory."""
    vendor = [*tools.uvenv, "vendor", "--profile", "prod", "-o", "vendored"]
    subprocess.run(vendor, cwd=root, env=tools.variables, check=True, capture_output=True)
    print(f"  {len(list((root / 'vendored/wheels').iterdir()))} wheels")
    sync = [*tools.uvenv, "sync", "--profile", "prod", "--frozen", "--vendored", "vendored"]
    by_uv = [tools.uv, "sync", "--project", "prod", "--frozen", "--offline"]
    subprocess.run(by_uv[:-1], cwd=root, env=tools.variables, check=True, capture_output=True)

    def forget() -> None:
        # Not removed: for a minute, some file systems are slow to make files where others were.
        if (root / "prod/.venv").exists():
            (root / "prod/.venv").rename(root / f"old-{len(list(root.glob('old-*')))}")

    label = "sync from the directory, against uv sync from its cache"
    compare(tools, root, label, [by_uv], [sync], runs=runs, limit=1.2, before=forget)
    make = [tools.uv, "venv", "--quiet", "--no-project", "prod/.venv"]
    flags = ["--quiet", "--preview", "--offline", "--no-index", "--python", "prod/.venv"]
    by_hand = [make, [tools.uv, "pip", "sync", *flags, "vendored/pylock.toml"]]
    label = "the same, against uv venv and uv pip sync by hand"
    compare(tools, root, label, by_hand, [sync], runs=runs, limit=None, before=forget)
    print()


def measure_verify(tools: Tools, root: Path, runs: int) -> None:
    """All files of the environment; sha256sum with as many processes as there are cores."""
    sync = [*tools.uvenv, "sync", "--profile", "prod", "--vendored", "vendored"]
    subprocess.run(sync, cwd=root, env=tools.variables, check=True, capture_output=True)
    files = "find prod/.venv/lib -type f ! -name '*.pyc' -print0"
    script = f"{files} | xargs -0 -P {os.cpu_count()} -n 500 sha256sum > /dev/null"
    verify = [*tools.uvenv, "verify", "--profile", "prod"]
    [theirs, ours, fast] = times(tools, root, [[["sh", "-c", script]], [verify], [[*verify, "--fast"]]], runs)
    environment = root / "prod/.venv/lib"
    sizes = [path.stat().st_size for path in environment.rglob("*") if path.is_file()]
    print(f"  verify, {len(sizes)} files of {sum(sizes) / 1e6:.0f} MB")
    for label, seconds in [("verify", ours), ("verify --fast", fast), ("sha256sum", theirs)]:
        print(f"  {label:<52} {seconds * 1e3:8.2f} ms, {theirs / seconds:.2f} of what sha256sum does")
    print(f"      $ {shown([verify])}\n      $ {script}")


if __name__ == "__main__":
    main()

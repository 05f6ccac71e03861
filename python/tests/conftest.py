"""Monorepos for the tests, created by the package itself and used with the real uv."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import uvenv

DOCS = Path(__file__).parents[2] / "docs"

# Tests started in the background may ignore Ctrl-C, and so would the processes that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

SELECTING = ("UVENV_", "UV_", "VIRTUAL_ENV", "CARGO_", "CONDA_")
KEPT = ("CARGO_HOME", "UV_CACHE_DIR", "UVENV_CACHE_DIR")


def command_line(*arguments: str | os.PathLike[str]) -> list[str]:
    """The command line of the package under test."""
    return [sys.executable, "-m", "uvenv", *(os.fspath(argument) for argument in arguments)]


def messages(repo: uvenv.Monorepo, *arguments: str) -> list[dict[str, Any]]:
    """The JSON messages of the command line."""
    command = command_line("-C", repo.root, *arguments, "--message-format", "json")
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [json.loads(line) for line in said.splitlines()]


def without_time(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in ("elapsed_ms", "uv_invoked")}


def same_everywhere(report: uvenv.Value) -> None:
    """Checks properties that every report has."""
    again = pickle.loads(pickle.dumps(report))
    assert again == report
    assert hash(again) == hash(report)
    assert repr(again) == repr(report)
    assert type(report).from_dict(report.to_dict()) == report
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()
    with pytest.raises(AttributeError):
        report.changed = True  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a machine without settings for uv or git, and of the caches that all tests share."""
    directory = tmp_path_factory.mktemp("machine")
    (directory / "uv").mkdir()
    (directory / "uv/uv.toml").touch()
    (directory / "gitconfig").write_text("[user]\nname = Fixture\nemail = fixture@example.com\n")
    return {
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(directory / "cache/uv")),
        "UVENV_CACHE_DIR": os.environ.get("UVENV_CACHE_DIR", str(directory / "cache/uvenv")),
        # uv reads only the first system-wide configuration that it finds, so it ignores that in `/etc`.
        "XDG_CONFIG_DIRS": str(directory),
        "XDG_CONFIG_HOME": str(directory / "none"),
        "GIT_CONFIG_GLOBAL": str(directory / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def variables(machine: dict[str, str]) -> dict[str, str]:
    """The variables of this process, except those that select something."""
    ours = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(SELECTING)}
    return ours | machine


@pytest.fixture(autouse=True)
def _own_variables(machine: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    kept = variables(machine)
    for name in set(os.environ) - set(kept):
        monkeypatch.delenv(name)
    for name, value in machine.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _nothing_stays_activated() -> Iterator[None]:
    yield
    activation: Any = sys.modules.get("uvenv._activate")
    if activation is not None and activation._active is not None:
        activation._active.undo()
        activation._active = None


@pytest.fixture(scope="session")
def template(machine: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A monorepo with three locked profiles, to copy."""
    root = tmp_path_factory.mktemp("code") / "bench"
    for arguments in (["new", str(root), "--local-remotes"], ["-C", str(root), "lock", "--all-profiles"]):
        subprocess.run(command_line(*arguments), check=True, env=variables(machine), capture_output=True)
    return root


@pytest.fixture
def repo_path(template: Path, tmp_path: Path) -> Path:
    """The root of a monorepo with three locked profiles and no environment."""
    root = tmp_path / "bench"
    shutil.copytree(template, root, symlinks=True)
    return root.resolve()


@pytest.fixture
def repo(repo_path: Path) -> uvenv.Monorepo:
    """The same monorepo as a `uvenv.Monorepo`."""
    return uvenv.Monorepo.discover(repo_path)


class SlowPackage:
    """A package of the workspace whose build takes as long as the test wants."""

    BACKEND = """
import os, pathlib, time, zipfile

HERE = pathlib.Path(__file__).parent
DIST = "slow-1.dist-info"

def build_editable(directory, config_settings=None, metadata_directory=None):
    (HERE / "pid.tmp").write_text(str(os.getpid()))
    (HERE / "pid.tmp").rename(HERE / "pid")
    for _ in range(1200):
        if (HERE / "quick").exists():
            break
        time.sleep(0.1)
    with zipfile.ZipFile(pathlib.Path(directory) / "slow-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{DIST}/METADATA", "Metadata-Version: 2.1\\nName: slow\\nVersion: 1\\n")
        about = "Wheel-Version: 1.0\\nGenerator: slow\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(f"{DIST}/WHEEL", about)
        wheel.writestr(f"{DIST}/RECORD", f"{DIST}/METADATA,,\\n{DIST}/WHEEL,,\\n{DIST}/RECORD,,\\n")
    return "slow-1-py3-none-any.whl"

build_wheel = build_editable
"""
    PROJECT = """
[project]
name = "slow"
version = "1"
requires-python = ">=3.10"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

    def __init__(self, root: Path) -> None:
        self.directory = root / "packages" / "slow"
        self.directory.mkdir()
        (self.directory / "pyproject.toml").write_text(self.PROJECT)
        (self.directory / "backend.py").write_text(self.BACKEND)
        manifest = root / "pyproject.toml"
        text = manifest.read_text().replace("dependencies = [", 'dependencies = [\n    "slow",', 1)
        text = text.replace("[tool.uv.sources]\n", "[tool.uv.sources]\nslow = { workspace = true }\n", 1)
        manifest.write_text(text)

    def wait_until_it_is_built(self, process: subprocess.Popen[Any] | None = None) -> None:
        """Waits until uv builds it."""
        while not (self.directory / "pid").exists():
            assert process is None or process.poll() is None, "it has ended before"
            time.sleep(0.02)

    def builder(self) -> int:
        """The process that builds it."""
        return int((self.directory / "pid").read_text())

    def be_quick(self) -> None:
        """Lets the build finish."""
        (self.directory / "quick").touch()


@pytest.fixture
def slow_package(repo_path: Path) -> SlowPackage:
    """A slow package in the workspace of `repo`, which dev depends on."""
    return SlowPackage(repo_path)

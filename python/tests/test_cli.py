"""The command line in the wheel."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import SlowPackage, command_line

import uvenv

SCRIPT = Path(sysconfig.get_path("scripts")) / "cargo-uvenv"


def output(*command: str | os.PathLike[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "command",
    [[sys.executable, "-m", "uvenv"], [sys.executable, "-m", "uvenv", "uvenv"], [SCRIPT], [SCRIPT, "uvenv"]],
    ids=["module", "module-uvenv", "script", "script-uvenv"],
)
def test_every_entry_point_is_the_command_line(command: list[str | Path], repo: uvenv.Monorepo) -> None:
    assert output(*command, "--version") == f"cargo-uvenv {uvenv.__version__}\n"
    said = output(*command, "-C", repo.root, "status", "--message-format", "json")
    assert json.loads(said) == repo.status().to_dict()
    done = subprocess.run([*command, "sync", "--nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Usage: cargo uvenv sync" in done.stderr


@pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo")
def test_cargo_finds_the_subcommand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}")
    # Cargo prefers a subcommand that it has installed itself.
    assert output("cargo", "uvenv", "--version").startswith("cargo-uvenv ")


def test_run_is_replaced_by_the_command(repo: uvenv.Monorepo) -> None:
    repo.sync("prod", backend="cu124")
    run = command_line("-C", repo.root, "run", "--profile", "prod", "--no-sync", "--", "python", "-c")
    assert subprocess.run([*run, "import sys; sys.exit(7)"], check=False).returncode == 7
    if os.name == "posix":
        # The command replaces our process: no Python of ours remains, and its signals are unchanged.
        script = "import os, signal; print(os.getppid(), signal.getsignal(signal.SIGINT))"
        done = subprocess.run([*run, script], capture_output=True, text=True, check=True)
        parent, handler = done.stdout.split(maxsplit=1)
        assert int(parent) == os.getpid()
        assert "default_int_handler" in handler


def test_cargo_configuration_runs_the_python_module(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.sync("dev", backend="none")
    without = [one for one in os.environ["PATH"].split(os.pathsep) if not (Path(one) / "cargo-uvenv").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(without))
    subprocess.run(command_line("-C", repo.root, "env", "--write-cargo-config"), check=True, capture_output=True)
    configuration = (repo.root / ".cargo" / "config.toml").read_text()
    assert f'"{sys.executable}", "-m", "uvenv", "run"' in configuration


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_ctrl_c_stops_it(repo: uvenv.Monorepo, slow_package: SlowPackage) -> None:
    sync = command_line("-C", repo.root, "sync", "--backend", "none")
    process = subprocess.Popen(sync, start_new_session=True, stderr=subprocess.DEVNULL)
    slow_package.wait_until_it_is_built(process)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == -signal.SIGINT

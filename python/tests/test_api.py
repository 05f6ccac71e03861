"""What the calls do with the real uv, and what they return."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import command_line, messages, same_everywhere, without_time

import uvenv


def test_discovery(repo_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = uvenv.Monorepo.discover(repo_path)
    assert (found.root, found.directory) == (repo_path, repo_path)
    monkeypatch.chdir(repo_path / "packages")
    assert uvenv.Monorepo.discover().root == repo_path
    assert uvenv.Monorepo.discover("..") == found
    assert uvenv.Monorepo.discover(str(repo_path / "pyproject.toml")) == found
    assert uvenv.Monorepo.discover(Path("../prod")) == uvenv.Monorepo(repo_path, repo_path / "prod")
    assert pickle.loads(pickle.dumps(found)) == found
    assert hash(found) == hash(uvenv.Monorepo(repo_path, repo_path))
    with pytest.raises(uvenv.NoMonorepo):
        uvenv.Monorepo.discover(repo_path.parent)
    with pytest.raises(uvenv.UnreadableDirectory):
        uvenv.Monorepo.discover(repo_path / "not-there")


def test_profiles(repo: uvenv.Monorepo) -> None:
    assert list(repo.profiles) == ["dev", "staging", "prod"]
    prod = repo.profiles["prod"]
    assert (prod.name, prod.backends) == ("prod", ("cu124", "cu128"))
    assert prod.manifest == repo.root / "prod" / "pyproject.toml"
    assert prod.lockfile == repo.root / "prod" / "uv.lock"
    assert prod.environment == repo.root / "prod" / ".venv"
    assert not repo.profiles["dev"].pins
    assert list(prod.pins) == ["bench-utils", "model-interface", "print-utils"]
    again = pickle.loads(pickle.dumps(prod))
    assert again == prod
    assert hash(again) == hash(prod)


def test_pins_have_a_commit_only_if_locked(repo: uvenv.Monorepo) -> None:
    pin = repo.profiles["prod"].pins["bench-utils"]
    remote = subprocess.run(
        ["git", "ls-remote", pin.url, f"refs/tags/{pin.tag}*"], capture_output=True, text=True, check=True
    )
    assert pin.tag == "v0.1.2"
    assert pin.commit is not None
    assert pin.commit in remote.stdout
    assert (pin.branch, pin.rev, pin.subdirectory) == (None, None, None)

    manifest = repo.root / "prod" / "pyproject.toml"
    text = manifest.read_text()
    secret = text.replace("file://", "https://user:secret@example.com", 1).replace('tag = "v0.1.2"', 'branch = "main"')
    manifest.write_text(secret)
    pins = repo.profiles["prod"].pins
    assert {pin.commit for pin in pins.values()} == {None}
    assert {(pin.branch, pin.tag) for pin in pins.values()} == {("main", None)}
    assert "secret" not in repr(pins)
    assert any("example.com" in pin.url for pin in pins.values())


def test_lock(repo: uvenv.Monorepo) -> None:
    report = repo.lock("staging", locked=True)
    assert (report.profile, report.changed, report.packages) == ("staging", False, ())
    assert report.lockfile == repo.root / "staging" / "uv.lock"
    same_everywhere(report)
    (message,) = messages(repo, "lock", "--profile", "staging", "--locked")
    assert without_time(report.to_dict()) == without_time(message)

    report.lockfile.unlink()
    with pytest.raises(uvenv.MissingLockfile):
        repo.lock("staging", locked=True)
    dry = repo.lock("staging", dry_run=True)
    assert (dry.dry_run, dry.changed, report.lockfile.exists()) == (True, False, False)
    made = repo.lock("staging")
    assert made.changed
    change = next(change for change in made.packages if change.name == "bench-utils")
    assert change.from_ == ()
    assert change.to[0].startswith("v0.1.2.dev0 (")
    same_everywhere(made)
    assert "from" in made.to_dict()["packages"][0]


def test_sync(repo: uvenv.Monorepo) -> None:
    report = repo.sync("prod", backend="cu124")
    assert report.changed
    assert report.backend == "cu124"
    assert report.environment == repo.root / "prod" / ".venv"
    assert report.python is not None
    assert report.python.path.is_relative_to(report.environment)
    installed = {one.name: one for one in report.installed}
    assert installed["nvidia-cuda-runtime-cu12"].version == "12.4.127"
    assert installed["nvidia-cuda-runtime-cu12"].source == uvenv.RegistrySource()
    source = installed["bench-utils"].source
    assert isinstance(source, uvenv.GitSource)
    assert source.kind == "git"
    assert source.commit == repo.profiles["prod"].pins["bench-utils"].commit
    same_everywhere(report)

    again = repo.sync("prod", backend="cu124")
    assert (again.changed, again.installed, again.removed) == (False, (), ())
    assert again != report
    (message,) = messages(repo, "sync", "--profile", "prod", "--backend", "cu124")
    assert without_time(again.to_dict()) == without_time(message)

    other = repo.sync("prod", backend="cu128")
    assert [(one.name, one.version) for one in other.removed] == [("nvidia-cuda-runtime-cu12", "12.4.127")]


def test_editable_members(repo: uvenv.Monorepo) -> None:
    report = repo.sync("dev", backend="none")
    assert report.backend is None
    sources = {one.name: one.source for one in report.installed}
    assert sources["bench-utils"] == uvenv.EditableSource(path=repo.root / "packages" / "bench-utils")
    same_everywhere(report)


def test_uses_the_uv_of_the_distribution(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    import uv

    # Without a uv on `PATH`.
    directories = os.environ["PATH"].split(os.pathsep)
    without = [one for one in directories if not (Path(one) / "uv").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(without))
    assert repo.lock("dev").uv.path == Path(uv.find_uv_bin())
    done = subprocess.run(
        command_line("-C", repo.root, "lock", "--message-format", "json"), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["uv"]["path"] == uv.find_uv_bin()


def test_selection(repo: uvenv.Monorepo) -> None:
    by_feature = repo.plan("prod", features="cu128", crate="hyperbench-kernels")
    assert by_feature.backend == "cu128"
    manifest = repo.root / "prod" / "pyproject.toml"
    text = manifest.read_text() + '\n[dependency-groups]\nlint = ["iniconfig"]\ndocs = ["six"]\n'
    manifest.write_text(text)
    repo.lock("prod")
    report = repo.sync("prod", backend="none", group=["lint", "docs"], uv_args=["--no-install-project"])
    assert {"iniconfig", "six"} <= {one.name for one in report.installed}
    gone = repo.sync("prod", backend="none", group="lint", recreate=True)
    assert "six" not in {one.name for one in gone.installed}
    assert gone.changed


def test_python(repo: uvenv.Monorepo) -> None:
    report = repo.sync("prod", backend="none", python=Path(sys.executable))
    assert report.python is not None
    assert report.python.version == ".".join(map(str, sys.version_info[:3]))


def test_plan_changes_nothing(repo: uvenv.Monorepo) -> None:
    plan = repo.plan("prod", backend="cu124", recreate=True)
    assert (plan.profile, plan.backend, plan.recreate) == ("prod", "cu124", True)
    assert "--extra=cu124" in plan.command
    assert not (repo.root / "prod" / ".venv").exists()
    same_everywhere(plan)
    (message,) = messages(repo, "sync", "--profile", "prod", "--backend", "cu124", "--recreate", "--dry-run")
    assert plan.to_dict() == message


def test_run(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = "import sys, os, bench_utils; print(sys.prefix, os.environ.get('UVENV_BACKEND'), os.environ.get('NEW'))"
    command = ["python", "-c", script]
    done = repo.run(command, "prod", backend="cu124", capture_output=True, text=True)
    assert done.stdout.split() == [str(repo.root / "prod" / ".venv"), "cu124", "None"]
    # The backend is kept.
    done = repo.run(command, "prod", capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.split()[1] == "cu124"
    # The environment is added to the variables that the caller passes.
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    variables = {"PATH": os.environ["PATH"], "NEW": "1", "PYTHONHOME": "/nowhere"}
    done = repo.run(command, "prod", no_sync=True, env=variables, capture_output=True, text=True)
    assert done.stdout.split()[2] == "1", done.stderr
    assert "NEW" not in os.environ
    (tmp_path / "hello.py").write_text("import sys; sys.exit(7)")
    assert repo.run(tmp_path / "hello.py", "prod", no_sync=True).returncode == 7
    with pytest.raises(subprocess.CalledProcessError):
        repo.run([tmp_path / "hello.py"], "prod", no_sync=True, check=True)


def test_run_reports_missing_environment_command_and_directory(repo: uvenv.Monorepo, tmp_path: Path) -> None:
    with pytest.raises(uvenv.MissingEnvironment):
        repo.run("python", "prod", no_sync=True)
    repo.sync("prod", backend="none")
    with pytest.raises(uvenv.CommandNotStarted) as raised:
        repo.run("no-such-program", "prod", no_sync=True)
    said = subprocess.run(
        command_line("-C", repo.root, "run", "--profile", "prod", "--no-sync", "no-such-program"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert raised.value.message in said.stderr
    with pytest.raises(FileNotFoundError):
        repo.run("python", "prod", no_sync=True, cwd=tmp_path / "no-such-directory")


def test_env(repo: uvenv.Monorepo) -> None:
    repo.sync("prod", backend="cu124")
    report = repo.env("prod")
    values = {one.name: one for one in report.variables}
    assert values["VIRTUAL_ENV"].value == str(repo.root / "prod" / ".venv")
    assert values["PATH"].change == "prepend"
    assert values["PATH"].directories == (repo.root / "prod" / ".venv" / "bin",)
    assert values["PYTHONHOME"].value is None
    same_everywhere(report)
    (message,) = messages(repo, "env", "--profile", "prod")
    assert report.to_dict() == message


def without_reasons(status: dict[str, Any]) -> dict[str, Any]:
    """A copy of a status without the reasons for calls of uv, which differ from call to call."""
    profiles = [
        {**profile, "environments": [{**one, "uv_asked_because": None} for one in profile["environments"]]}
        for profile in status["profiles"]
    ]
    return {**status, "profiles": profiles}


def test_status(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    # Paths are seen from there.
    monkeypatch.chdir(repo.root)
    repo.sync("prod", backend="cu124")
    (repo.root / "staging" / "uv.lock").unlink()
    report = repo.status()
    same_everywhere(report)
    (message,) = messages(repo, "status")
    assert without_reasons(report.to_dict()) == without_reasons(message)
    states = {one.profile: (one.lockfile.state, one.environments[0].state) for one in report.profiles}
    assert states == {"dev": ("fresh", "missing"), "staging": ("missing", "missing"), "prod": ("fresh", "in-sync")}
    printed = subprocess.run(command_line("status"), capture_output=True, text=True, check=True)
    assert str(report) == repr(report) == printed.stdout.rstrip("\n")
    # A report created by hand has a text, too.
    assert repr(uvenv.StatusReport.from_dict(message)).startswith("StatusReport({'reason': 'status', ")


def test_status_of_a_profile_that_cannot_be_read(repo: uvenv.Monorepo) -> None:
    manifest = repo.root / "prod" / "pyproject.toml"
    manifest.write_text("[project\n")
    (problem,) = (one.error for one in repo.status().profiles if one.profile == "prod")
    assert problem is not None
    assert (problem.code, problem.file, problem.line) == ("invalid-toml", manifest, 1)
    same_everywhere(problem)


def test_backends(repo: uvenv.Monorepo) -> None:
    report = repo.backends()
    assert [(one.name, one.kind, one.cuda) for one in report.profiles[2].backends] == [
        ("cu124", "extra", "12.4"),
        ("cu128", "extra", "12.8"),
    ]
    same_everywhere(report)
    (message,) = messages(repo, "backend", "list")
    assert report.to_dict() == message
    assert "hyperbench/cu124" in str(report)


def test_detection(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    report = uvenv.detect_backend()
    same_everywhere(report)
    (message,) = messages(repo, "backend", "detect")
    assert report.to_dict() == message
    assert isinstance(report.detected, uvenv.Driver | uvenv.NoDriver)
    monkeypatch.chdir("/")
    assert uvenv.detect_backend().auto == ()
    driver = uvenv.DetectionReport.from_dict(
        {"detected": {"driver": {"version": "550.54.15", "cuda": "12.4", "gpus": ["H100"]}}, "auto": []}
    )
    assert driver.detected == uvenv.Driver(version="550.54.15", cuda="12.4", gpus=("H100",))
    same_everywhere(driver)


def test_kernels(repo: uvenv.Monorepo, tmp_path: Path) -> None:
    prefix = tmp_path / "jupyter"
    with pytest.raises(uvenv.MissingIpykernel):
        repo.install_kernel("prod", backend="cu124", prefix=prefix)
    assert uvenv.kernels(prefix).kernels == ()
    with pytest.raises(uvenv.UnknownKernel):
        uvenv.remove_kernel("bench-prod-cu124", prefix)

    manifest = repo.root / "prod" / "pyproject.toml"
    manifest.write_text(manifest.read_text() + '\n[dependency-groups]\nnotebook = ["ipykernel"]\n')
    repo.lock("prod")
    installed = repo.install_kernel("prod", backend="cu124", group="notebook", prefix=prefix, display_name="Bench")
    assert (installed.profile, installed.backend, installed.state) == ("prod", "cu124", "ready")
    assert installed.path.is_relative_to(prefix)
    assert installed.command[:3] == (sys.executable, "-m", "uvenv")
    assert "--group=notebook" in installed.command
    same_everywhere(installed)
    specification = json.loads((installed.path / "kernel.json").read_text())
    assert (specification["display_name"], specification["argv"]) == ("Bench", list(installed.command))

    found = uvenv.kernels(prefix)
    same_everywhere(found)
    (message,) = messages(repo, "kernel", "list", "--prefix", str(prefix))
    assert found.to_dict() == message
    assert "reason" not in found.to_dict()["kernels"][0]
    assert installed.to_dict() == {"reason": "kernel-installed", **message["kernels"][0]}
    assert installed.name in str(found)
    removed = uvenv.remove_kernel(installed.name, prefix=prefix)
    assert removed.to_dict()["reason"] == "kernel-removed"
    assert not installed.path.exists()


def test_shortcuts(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root / "prod")
    assert uvenv.sync(backend="cu124").profile == "prod"
    assert uvenv.plan("staging", backend="none").profile == "staging"
    assert uvenv.lock(locked=True).profile == "prod"
    assert uvenv.env().backend == "cu124"
    assert uvenv.status().root == repo.root
    assert uvenv.backends() == repo.backends()
    assert uvenv.run(["python", "-c", "pass"]).returncode == 0
    monkeypatch.setenv("UVENV_PROFILE", "staging")
    assert uvenv.lock(locked=True).profile == "staging"
    monkeypatch.setenv("UVENV_BACKEND", "cu128")
    assert uvenv.plan().backend == "cu128"


def test_honours_uv_variables(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo.root / "prod" / "uv.lock").unlink()
    monkeypatch.setenv("UV_FROZEN", "1")
    with pytest.raises(uvenv.MissingLockfile):
        repo.sync("prod", backend="none")
    monkeypatch.delenv("UV_FROZEN")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(repo.root / "empty"))
    with pytest.raises(uvenv.Error) as raised:
        repo.lock("prod")
    assert raised.value.code in {"uv-failed", "unreachable-remote"}


def test_module_imports_lazily() -> None:
    script = "import sys; before = set(sys.modules); import uvenv; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['uvenv']"
    assert set(uvenv.__all__) == set(dir(uvenv))
    for name in uvenv.__all__:
        assert getattr(uvenv, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        uvenv.nothing  # type: ignore[attr-defined]  # noqa: B018

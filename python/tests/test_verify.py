"""Whether an environment is what its lockfile says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import command_line, same_everywhere, without_time

import uvenv


def module(repo: uvenv.Monorepo) -> Path:
    (path,) = (repo.root / "prod" / ".venv" / "lib").glob("python*/site-packages/bench_utils/__init__.py")
    return path


def test_what_was_synced_is_as_it_is_locked(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    with pytest.raises(uvenv.MissingEnvironment):
        uvenv.verify("prod")
    uvenv.sync("prod", backend="cu124")
    report = uvenv.verify("prod")
    assert (report.profile, report.findings, report.distributions) == ("prod", (), 4)
    assert report.files > report.distributions
    same_everywhere(report)


def test_a_file_that_was_changed_is_found(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    # Paths are seen from there.
    monkeypatch.chdir(repo.root)
    repo.sync("prod", backend="cu124")
    path = module(repo)
    # A link may lead to uv's cache.
    path.unlink()
    path.write_text("changed")
    report = repo.verify("prod")
    (finding,) = report.findings
    assert (finding.kind, finding.name, finding.path) == ("changed", "bench-utils", path)
    same_everywhere(report)
    said = subprocess.run(command_line("verify", "--profile", "prod"), capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert str(report) == said.stdout.rstrip("\n")
    assert uvenv.VerifyReport.from_dict(without_time(report.to_dict()) | {"elapsed_ms": report.elapsed_ms}) == report

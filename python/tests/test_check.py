"""What a check finds and fixes, and how it is reported."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import command_line, messages, same_everywhere

import uvenv


@pytest.fixture
def drifted(repo: uvenv.Monorepo) -> uvenv.Monorepo:
    """A monorepo with a dev-release in prod."""
    manifest = repo.root / "prod" / "pyproject.toml"
    manifest.write_text(manifest.read_text().replace('bench-utils.git", tag = "v0.1.2"', PINNED, 1))
    repo.lock("prod")
    return repo


PINNED = 'bench-utils.git", tag = "v0.1.2.dev0"'


def with_unused_source(repo: uvenv.Monorepo) -> Path:
    """Adds an unused source to the manifest of dev and returns the path."""
    manifest = repo.root / "pyproject.toml"
    source = 'extra = { git = "https://git.example/extra" } # not yet'
    manifest.write_text(manifest.read_text().replace("[tool.uv.sources]\n", f"[tool.uv.sources]\n{source}\n"))
    return manifest


def test_clean_monorepo_has_no_findings(repo: uvenv.Monorepo) -> None:
    report = repo.check()
    assert (report.findings, report.errors, report.warnings, report.infos) == ((), 0, 0, 0)
    assert (report.root, report.profiles, report.remote) == (repo.root, ("dev", "staging", "prod"), False)
    same_everywhere(report)
    assert str(report) == "Checked dev, staging, prod: no findings"


def test_findings_have_places(drifted: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    # Paths are seen from there.
    monkeypatch.chdir(drifted.root)
    report = drifted.check()
    same_everywhere(report)
    (message,) = messages(drifted, "check")
    assert report.to_dict() == message
    finding = next(one for one in report.findings if one.code == "dev-tag-in-prod")
    assert (finding.severity, finding.profile, finding.package) == ("error", "prod", "bench-utils")
    assert report.errors == sum(one.severity == "error" for one in report.findings) > 0
    assert finding.file == drifted.root / "prod" / "pyproject.toml"
    assert finding.line is not None
    assert PINNED in finding.file.read_text().splitlines()[finding.line - 1]
    said = subprocess.run(command_line("--color", "never", "check"), capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert " ".join(str(report).split()) == " ".join(said.stderr.split())


def test_selects_profiles_and_levels(drifted: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = {one.code for one in drifted.check("prod").findings}
    assert "dev-tag-in-prod" in codes
    report = drifted.check(["dev", "staging"])
    assert report.profiles == ("dev", "staging")
    assert {one.profile for one in report.findings} <= {None, "dev", "staging"}
    monkeypatch.chdir(drifted.root)
    assert uvenv.check("prod", allow=codes).findings == ()
    warned = uvenv.check("prod", warn="dev-tag-in-prod", allow=codes - {"dev-tag-in-prod"})
    assert (warned.errors, warned.warnings) == (0, 1)
    with_unused_source(drifted)
    assert uvenv.check("dev", deny=["unused-source"]).errors == uvenv.check("dev").errors + 1


def test_checks_remotes(repo: uvenv.Monorepo) -> None:
    report = repo.check(remote=True)
    assert report.remote
    assert report.findings == ()
    with pytest.raises(uvenv.NoNetwork):
        repo.check(remote=True, offline=True)


def test_fixes_findings(repo: uvenv.Monorepo) -> None:
    manifest = repo.root / "pyproject.toml"
    before = manifest.read_text()
    assert with_unused_source(repo) == manifest
    found = manifest.read_text()
    shown = repo.check(fix=True, dry_run=True)
    assert [one.code for one in shown.fixed] == ["unused-source"]
    assert shown.dry_run
    (change,) = shown.changes
    assert change.file == manifest
    assert '-extra = { git = "https://git.example/extra" } # not yet' in change.diff.splitlines()
    assert manifest.read_text() == found
    same_everywhere(shown)

    mended = repo.check(fix=True)
    assert mended.fixed == shown.fixed
    assert mended.findings == ()
    assert manifest.read_text() == before
    same_everywhere(mended)
    assert repo.check(fix=True).fixed == ()


def test_rejects_invalid_arguments(repo: uvenv.Monorepo) -> None:
    with pytest.raises(uvenv.InvalidArguments, match="`dry_run` requires `fix`") as raised:
        repo.check(dry_run=True)
    assert raised.value.help == "add `fix=True`"
    with pytest.raises(uvenv.InvalidArguments):
        repo.check("production")
    with pytest.raises(uvenv.UnknownCode, match="did you mean `dev-tag-in-prod`"):
        repo.check(deny="dev-tag-in-prd")
    with pytest.raises(uvenv.TwoLevels):
        repo.check(deny="tag-prefix", allow="tag-prefix")
    (repo.root / "staging" / "pyproject.toml").unlink()
    with pytest.raises(uvenv.UnknownProfile):
        repo.check("staging")

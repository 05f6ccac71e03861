"""Promotions and comparisons of profiles."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from conftest import command_line, messages, same_everywhere, without_time

import uvenv


@pytest.fixture
def behind(repo: uvenv.Monorepo) -> uvenv.Monorepo:
    """A monorepo whose prod pins a dev-release of a package that has a stable release."""
    manifest = prod(repo)
    pin = 'bench-utils.git", tag = "v0.1.2'
    manifest.write_text(manifest.read_text().replace(f'{pin}"', f'{pin}.dev0"', 1))
    repo.lock("prod")
    return repo


def prod(repo: uvenv.Monorepo) -> Path:
    return repo.root / "prod" / "pyproject.toml"


def git(repo: uvenv.Monorepo, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", repo.root, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def committed(behind: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> uvenv.Monorepo:
    """The same, committed to a git repository."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "somebody@example.com")
    git(behind, "add", "--all")
    git(behind, "commit", "--quiet", "--message", "Before")
    return behind


def test_promotes_to_the_newest_release(behind: uvenv.Monorepo) -> None:
    before = prod(behind).read_text()
    planned = behind.promote(to="prod", dry_run=True)
    assert (planned.profile, planned.dry_run, planned.changed, planned.commit) == ("prod", True, True, None)
    outcomes = {one.name: one.outcome for one in planned.packages}
    assert outcomes == {"bench-utils": "updated", "model-interface": "unchanged", "print-utils": "unchanged"}
    assert prod(behind).read_text() == before
    same_everywhere(planned)
    (message,) = messages(behind, "promote", "--to", "prod", "--dry-run")
    assert without_time(planned.to_dict()) == without_time(message)

    done = behind.promote("bench-utils", to="prod")
    same_everywhere(done)
    (package,) = done.packages
    assert package.from_ is not None
    assert package.to is not None
    assert (package.from_.reference, package.to.reference) == ("v0.1.2.dev0", "v0.1.2")
    assert package.commits is not None
    assert package.commits.count == len(package.commits.newest) == 1
    pin = behind.profiles["prod"].pins["bench-utils"]
    assert (pin.tag, pin.commit) == ("v0.1.2", package.to.commit)
    assert [one.name for one in done.locked] == ["bench-utils"]
    assert done.findings == ()
    assert behind.check().errors == 0


def test_text_of_a_promotion_is_the_table(behind: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(behind.root)
    text = str(uvenv.promote("bench-utils", to="prod", dry_run=True))
    assert text.split()[:4] == ["package", "old", "new", "commits"]
    assert "bench-utils" in text
    said = subprocess.run(
        command_line("--color", "never", "promote", "--to", "prod", "bench-utils", "--dry-run"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.startswith(text)


def test_promotes_to_a_named_tag(behind: uvenv.Monorepo) -> None:
    behind.promote(["bench-utils=v0.1.2"], to="prod")
    (package,) = behind.promote("bench-utils=v0.1.2.dev0", to="prod", dry_run=True).packages
    assert package.outcome == "downgraded"
    before = prod(behind).read_text()
    with pytest.raises(uvenv.MissingTag, match="v9"):
        behind.promote("bench-utils=v9", to="prod")
    with pytest.raises(uvenv.UnknownPackage):
        behind.promote("no-such-package", to="prod")
    assert prod(behind).read_text() == before


def test_commits_a_promotion(committed: uvenv.Monorepo) -> None:
    staged = committed.root / "staged.txt"
    staged.write_text("work")
    git(committed, "add", "staged.txt")
    with pytest.raises(uvenv.DirtyIndex) as raised:
        committed.promote(to="prod", exact=True, commit=True)
    assert isinstance(raised.value, uvenv.ReleaseError)
    git(committed, "reset", "--quiet")
    report = committed.promote(to="prod", exact=True, commit=True)
    assert report.commit == git(committed, "rev-parse", "HEAD")
    assert git(committed, "show", "--format=", "--name-only").split() == ["prod/pyproject.toml", "prod/uv.lock"]


def test_commits_a_promotion_to_a_branch(committed: uvenv.Monorepo) -> None:
    before = prod(committed).read_text()
    branches = [
        committed.promote(to="prod", exact=True, branch=branch).branch for branch in (True, True, "promotions/prod")
    ]
    assert [branch and (branch.name, branch.outcome) for branch in branches] == [
        ("uvenv/promote-to-prod", "created"),
        ("uvenv/promote-to-prod", "unchanged"),
        ("promotions/prod", "created"),
    ]
    assert git(committed, "diff", "--name-only", "HEAD", "promotions/prod").split() == [
        "prod/pyproject.toml",
        "prod/uv.lock",
    ]
    assert prod(committed).read_text() == before


@pytest.mark.parametrize(
    ("packages", "arguments"),
    [
        ((), {"pre": True, "exact": True}),
        ((), {"dry_run": True, "commit": True}),
        ((), {"branch": True, "commit": True}),
        ((), {"branch": True, "dry_run": True}),
        (("not a name",), {}),
        (("bench-utils=",), {}),
    ],
    ids=str,
)
def test_rejects_invalid_arguments(repo: uvenv.Monorepo, packages: tuple[str, ...], arguments: dict[str, bool]) -> None:
    with pytest.raises(uvenv.InvalidArguments):
        repo.promote(packages, to="prod", **arguments)


def test_rejects_invalid_promotions(repo: uvenv.Monorepo) -> None:
    with pytest.raises(uvenv.InvalidArguments):
        repo.promote(to="production")
    with pytest.raises(uvenv.InvalidPromotion):
        repo.promote(to="dev")
    with pytest.raises(uvenv.InvalidPromotion):
        repo.promote(to="staging", exact=True)


def test_verifies_an_environment(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    environment = uvenv.sync("prod", backend="cu124").environment
    assert uvenv.verify("prod", backend="cu124").differences == ()
    (module,) = environment.glob("lib/*/site-packages/bench_utils/__init__.py")
    text = module.read_text()
    # It may be linked to uv's cache.
    module.unlink()
    module.write_text(text + "\n")
    report = uvenv.verify("prod")
    same_everywhere(report)
    (difference,) = report.differences
    assert (difference.kind, difference.distribution) == ("changed-file", "bench-utils")
    assert difference.file == module.relative_to(environment)
    assert report.backend == "cu124"
    assert "1 difference" in str(report)
    (message,) = messages(repo, "verify", "--profile", "prod")
    assert without_time(report.to_dict()) == without_time(message)
    uvenv.sync("prod", backend="cu124", recreate=True)
    with pytest.raises(uvenv.OtherBackend):
        uvenv.verify("prod", backend="cu128")


def test_compares_profiles(repo: uvenv.Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    report = uvenv.diff("staging", "prod")
    same_everywhere(report)
    (message,) = messages(repo, "diff", "staging", "prod")
    assert report.to_dict() == message
    assert message["from"] == {"profile": "staging", "revision": None, "is_locked": True}
    (name,) = (one.name for one in report.internal if one.name == "bench-utils")
    difference = next(one for one in report.internal if one.name == name)
    assert difference.from_ is not None
    assert difference.from_.reference == "v0.1.2.dev0"
    assert difference.to is not None
    assert difference.to.commit == repo.profiles["prod"].pins[name].commit
    said = subprocess.run(command_line("diff", "staging", "prod"), capture_output=True, text=True, check=True)
    assert str(report) == said.stdout.rstrip("\n")
    dev = uvenv.diff("dev..prod")
    assert {one.from_.directory for one in dev.internal if one.from_} >= {"packages/bench-utils"}
    same_everywhere(dev)


def test_compares_a_profile_with_a_revision(committed: uvenv.Monorepo) -> None:
    committed.promote(to="prod")
    report = committed.diff("prod@HEAD")
    assert (report.from_.revision, report.to.revision) == ("HEAD", None)
    assert [one.name for one in report.internal] == ["bench-utils"]
    same_everywhere(report)
    with pytest.raises(uvenv.UnknownRevision):
        committed.diff("prod@no-such-revision", "prod")
    git(committed, "rm", "-r", "--cached", "--quiet", "prod")
    git(committed, "commit", "--quiet", "--message", "Gone")
    with pytest.raises(uvenv.NotAtRevision):
        committed.diff("prod@HEAD", "prod@HEAD~1")
    for sides in (("prod",), ("prod", "prod"), ("production", "prod"), ("prod@", "dev")):
        with pytest.raises(uvenv.InvalidComparison):
            committed.diff(*sides)


@pytest.mark.skipif(sys.platform != "linux", reason="images are made on Linux")
def test_vendored_profile_becomes_an_image_and_a_bundle(repo: uvenv.Monorepo, tmp_path: Path) -> None:
    vendored = tmp_path / "vendored"
    repo.vendor("prod", backend="none", python=sys.executable, with_uv=True, output=vendored)
    base = tmp_path / "base.tar"
    with tarfile.open(base, "w") as tar:
        python = tarfile.TarInfo("usr/bin/python{}.{}".format(*sys.version_info[:2]))
        python.mode = 0o755
        tar.addfile(python)
    output = tmp_path / "image"
    report = repo.image(
        "prod",
        base=base,
        backend="none",
        vendored=vendored,
        python=sys.executable,
        tag="app:1.0",
        output=output,
        entrypoint=["python"],
    )
    same_everywhere(report)
    assert [layer.content for layer in report.layers] == ["base", "packages", "internal-packages"]
    assert report.name == "docker.io/library/app:1.0"
    index = json.loads((output / "index.json").read_text())
    assert [manifest["digest"] for manifest in index["manifests"]] == [report.digest]
    with pytest.raises(uvenv.InvalidArguments):
        repo.image("prod", base=base, backend="none", vendored=vendored)
    with pytest.raises(uvenv.InvalidArguments):
        repo.image("prod", base=base, backend="none", vendored=vendored, output=output, compression="xz")  # type: ignore[arg-type]

    # A script cannot open a bundle, and any program can be one's launcher.
    bundle = tmp_path / "prod.run"
    with pytest.raises(uvenv.NoBundleLauncher):
        repo.bundle("prod", backend="none", vendored=vendored, launcher=__file__, output=bundle)
    bundled = repo.bundle(
        "prod", backend="none", vendored=vendored, launcher=Path(sys.executable).resolve(), output=bundle
    )
    same_everywhere(bundled)
    assert bundled.size == bundle.stat().st_size

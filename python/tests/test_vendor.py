"""Environments that are brought to where there is no network."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import messages, same_everywhere, without_time

import uvenv


def test_what_is_vendored_is_synced_without_its_remotes(
    repo: uvenv.Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.root)
    report = uvenv.vendor("prod", backend="none", output="wheelhouse")
    assert (report.directory, report.wheels, report.downloaded) == (repo.root / "wheelhouse", 3, ())
    assert report.built == tuple(sorted(path.name for path in Path("wheelhouse/wheels").iterdir()))
    assert [target.distributions for target in report.targets] == [3]
    same_everywhere(report)
    # On another machine.
    moved = shutil.move("wheelhouse", tmp_path / "moved")
    for cache in ("UV_CACHE_DIR", "UVENV_CACHE_DIR"):
        monkeypatch.setenv(cache, str(tmp_path / "empty" / cache))
    monkeypatch.setenv("UV_OFFLINE", "1")
    assert uvenv.plan("prod", backend="none", vendored=moved).recreate is False
    synced = uvenv.sync("prod", backend="none", vendored=moved)
    assert {distribution.name for distribution in synced.installed} == {"bench-utils", "model-interface", "print-utils"}
    assert all(isinstance(distribution.source, uvenv.GitSource) for distribution in synced.installed)
    assert not uvenv.sync("prod", backend="none", vendored=moved).changed
    assert uvenv.verify("prod", vendored=moved).findings == ()
    assert uvenv.run(["python", "-c", "import bench_utils"], profile="prod", vendored=moved).returncode == 0


def test_the_command_line_says_the_same(repo: uvenv.Monorepo) -> None:
    report = repo.vendor("prod", backend="none")
    assert report.directory == repo.root / "vendor" / "prod"
    again = repo.vendor("prod", backend="none")
    assert (again.built, again.downloaded, again.removed) == ((), (), ())
    (said,) = messages(repo, "vendor", "--profile", "prod", "--backend", "none")
    assert without_time(said) == without_time(again.to_dict())


def test_what_is_wrong_is_an_exception_of_its_own(repo: uvenv.Monorepo, tmp_path: Path) -> None:
    directory = tmp_path / "wheelhouse"
    with pytest.raises(uvenv.VendorManifest):
        repo.sync("prod", backend="none", vendored=tmp_path)
    with pytest.raises(uvenv.InvalidTarget, match=r"2\.7"):
        repo.vendor("prod", backend="none", python="2.7")
    with pytest.raises(uvenv.InvalidTarget, match="amiga"):
        repo.vendor("prod", backend="none", platform="amiga")
    with pytest.raises(uvenv.LocalPackage, match="bench-utils"):
        repo.vendor("dev", backend="none", output=directory)
    with pytest.raises(uvenv.VendorDirectory):
        repo.vendor("prod", backend="none", output=repo.root)
    with pytest.raises(uvenv.NoCompatibleWheel, match="nvidia"):
        repo.vendor("prod", backend="cu124", platform="macos", output=directory)
    repo.vendor("prod", backend="none", output=directory)
    with pytest.raises(uvenv.VendorMismatch, match="cu124"):
        repo.sync("prod", backend="cu124", vendored=directory)
    next((directory / "wheels").iterdir()).write_text("")
    with pytest.raises(uvenv.VendorAltered) as raised:
        repo.sync("prod", backend="none", vendored=directory)
    assert isinstance(raised.value, uvenv.VendorError)
    assert not repo.profiles["prod"].environment.exists()

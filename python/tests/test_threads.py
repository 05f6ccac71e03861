"""Concurrent calls from one process."""

from __future__ import annotations

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import SlowPackage

import uvenv


def test_syncs_different_monorepos_in_parallel(template: Path, tmp_path: Path) -> None:
    backends = ["cu124", "cu128", "none"]

    def sync(index: int) -> uvenv.SyncReport:
        root = tmp_path / f"bench-{index}"
        shutil.copytree(template, root, symlinks=True)
        return uvenv.Monorepo.discover(root).sync("prod", backend=backends[index % 3])

    with ThreadPoolExecutor(6) as threads:
        reports = list(threads.map(sync, range(6)))
    for index, report in enumerate(reports):
        assert report.environment == (tmp_path / f"bench-{index}" / "prod" / ".venv").resolve()
        assert (report.backend or "none") == backends[index % 3]
        assert "bench-utils" in {one.name for one in report.installed}


def test_serialises_syncs_of_one_environment(repo: uvenv.Monorepo) -> None:
    def sync(index: int) -> uvenv.SyncReport:
        return repo.sync("prod", backend=["cu124", "cu128"][index % 2])

    with ThreadPoolExecutor(6) as threads:
        reports = list(threads.map(sync, range(6)))
        statuses = [status.result() for status in [threads.submit(repo.status) for _ in range(3)]]
    assert sum("bench-utils" in {one.name for one in report.installed} for report in reports) == 1
    for status in statuses:
        (environment,) = status.profiles[2].environments
        assert environment.state == "in-sync"
        assert environment.backend in {"cu124", "cu128"}


def test_other_threads_run_during_a_sync(repo: uvenv.Monorepo, slow_package: SlowPackage) -> None:
    thread = threading.Thread(target=lambda: repo.sync("dev", backend="none"))
    thread.start()
    slow_package.wait_until_it_is_built()
    # If the call held the GIL, this line would run only after the build.
    assert thread.is_alive()
    assert repo.profiles["dev"].name == "dev"
    assert thread.is_alive()
    slow_package.be_quick()
    thread.join(60)
    assert not thread.is_alive()


def test_variables_may_change_during_a_sync(repo: uvenv.Monorepo) -> None:
    repo.sync("prod", backend="cu124")
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            for index in range(100):
                os.environ[f"SOME_{index}"] = "x" * index
            for index in range(100):
                del os.environ[f"SOME_{index}"]

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(20):
            assert not repo.sync("prod", backend="cu124").changed
    finally:
        done.set()
        thread.join()

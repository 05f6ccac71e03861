"""Runs the example's notebook from top to bottom."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat as untyped_nbformat
import pytest
from kernels import PATIENCE, jupyter_variables
from nbclient import NotebookClient

import uvenv

nbformat: Any = untyped_nbformat

NOTEBOOK = Path(__file__).parents[2] / "examples" / "hyperbench" / "notebooks" / "quickstart.ipynb"


@pytest.fixture
def notebook(repo_path: Path) -> Path:
    """The notebook in a monorepo."""
    directory = repo_path / "notebooks"
    directory.mkdir(exist_ok=True)
    return Path(shutil.copy(NOTEBOOK, directory))


@pytest.fixture(autouse=True)
def _own_jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in jupyter_variables(tmp_path / "jupyter").items():
        monkeypatch.setenv(name, value)


def executed(notebook: Path, kernel: str) -> Callable[[str], str]:
    """Runs all cells and returns a function that gives the output of the cell that contains a text."""
    document = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        document, timeout=PATIENCE, kernel_name=kernel, resources={"metadata": {"path": str(notebook.parent)}}
    )
    client.execute()
    nbformat.validate(document)

    def shown(text: str) -> str:
        (cell,) = [cell for cell in document.cells if cell.cell_type == "code" and text in cell.source]
        data = [output.get("data", {}) for output in cell.outputs]
        streams = [output.text for output in cell.outputs if output.output_type == "stream"]
        return "".join(streams + [one.get("text/html") or one.get("text/plain", "") for one in data])

    return shown


def check(shown: Callable[[str], str], repo: uvenv.Monorepo) -> None:
    """Checks that the cells did what their text says."""
    assert shown("list(repo.profiles)") == "['dev', 'staging', 'prod']"
    assert "bench-utils v0.1.2 " in shown(".pins")
    assert "lockfile up to date" in shown('repo.lock("dev")')
    assert "dev " in shown('repo.sync("dev", backend="cu124"')
    assert "sum" in shown("format_summaries")
    assert "prod synced" in shown("%uvenv sync")
    assert shown("%%uvenv run") == "in prod bench-utils is 0.1.2\n"
    assert "error[unknown-backend]" in shown("cu999")
    states = {profile.profile: profile.environments[0].state for profile in repo.status().profiles}
    assert states == {"dev": "in-sync", "staging": "missing", "prod": "in-sync"}


def test_notebook_runs_in_an_installed_kernel(repo: uvenv.Monorepo, notebook: Path) -> None:
    # The package is not on an index, so it comes from where it is installed here.
    add_to_dev(repo.root, "ipykernel", "ipywidgets", "tqdm", "uv")
    kernel = repo.install_kernel("dev", backend="cu124", python=sys.executable)
    (site,) = repo.profiles["dev"].environment.glob("lib/python*/site-packages")
    (site / "uvenv-under-test.pth").write_text(f"{Path(uvenv.__file__).parents[1]}\n")
    shown = executed(notebook, kernel.name)
    check(shown, repo)
    assert "ActivationWarning" not in shown("format_summaries")


def add_to_dev(root: Path, *names: str) -> None:
    """Adds distributions to the default group of dev."""
    manifest = root / "pyproject.toml"
    group = "\n[dependency-groups]\ndev = [" + ", ".join(f'"{name}"' for name in names) + "]\n"
    manifest.write_text(manifest.read_text() + group)
    uvenv.Monorepo.discover(root).lock("dev")


def test_notebook_runs_in_another_kernel(repo: uvenv.Monorepo, notebook: Path) -> None:
    shown = executed(notebook, "python3")
    check(shown, repo)
    assert "dev synced" in shown('repo.sync("dev", backend="cu124"')
    assert "nvidia-cuda-runtime-cu12" in shown("report.installed")


def test_notebook_is_committed_without_outputs() -> None:
    document = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(document)
    for cell in document.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None

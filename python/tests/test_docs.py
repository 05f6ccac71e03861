"""The pages about Python are correct: their code blocks run, in order, in a new monorepo."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import DOCS
from kernels import jupyter_variables, started


class Block(NamedTuple):
    language: str
    line: int
    source: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, with the number of their first line."""
    text = page.read_text()
    fences = re.finditer(r"^```(\w+)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(found[1], text.count("\n", 0, found.start(2)) + 1, found[2]) for found in fences]


def run_python(page: Path, block: Block, names: dict[str, Any]) -> None:
    source = "\n" * (block.line - 1) + block.source
    exec(compile(source, str(page), "exec"), names)  # noqa: S102 (they are our own pages)


def run_session(page: Path, block: Block, names: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.source, names, page.name, str(page), block.line - 1)
    said = list[str]()
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False).run(test, out=said.append, clear_globs=False)
    names.update(test.globs)
    assert not said, "".join(said)


def run_commands(page: Path, block: Block) -> None:
    variables = {**os.environ, "PATH": sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]}
    for command in re.findall(r"^\$ (.+)$", block.source, re.MULTILINE):
        done = subprocess.run(command, shell=True, env=variables, capture_output=True, text=True, check=False)  # noqa: S602
        assert done.returncode == 0, f"{page}:{block.line}: {command}\n{done.stderr}"


def test_readme_examples_run(repo_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = DOCS.parent / "README.md"
    monkeypatch.chdir(repo_path)
    # The end-to-end tests run its commands.
    ours = [block for block in blocks(page) if block.language == "python"]
    assert ours
    for block in ours:
        run_python(page, block, {"__name__": "__main__"})


def test_python_guide_examples_run(repo_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = DOCS / "python.md"
    monkeypatch.chdir(repo_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    ran = set[str]()
    for block in blocks(page):
        ran.add(block.language)
        if block.language == "python":
            run_python(page, block, names)
        elif block.language == "pycon":
            run_session(page, block, names)
        elif block.language == "console":
            run_commands(page, block)
        else:
            pytest.fail(f"{page}:{block.line}: nobody runs {block.language}")
    assert ran == {"python", "pycon", "console"}


def test_notebook_guide_examples_run(repo_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = DOCS / "notebooks.md"
    monkeypatch.chdir(repo_path)
    for name, value in jupyter_variables(tmp_path / "jupyter").items():
        monkeypatch.setenv(name, value)
    ran = set[str]()
    with started(repo_path, {}) as kernel:
        for block in blocks(page):
            ran.add(block.language)
            if block.language == "console":
                run_commands(page, block)
            else:
                kernel.run(block.source)
    assert ran == {"python", "ipython", "console"}

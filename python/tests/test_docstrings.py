"""Every public name has a docstring that explains its arguments, and whose examples run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import uvenv


def modules() -> Iterator[Any]:
    yield uvenv
    for module in pkgutil.iter_modules(uvenv.__path__):
        # Its examples need Ray, and a cluster.
        if module.name == "ray":
            continue
        yield importlib.import_module(f"uvenv.{module.name}")


def examples() -> Iterator[doctest.DocTest]:
    """The examples of every object, native ones included, each once."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    seen = set[str]()
    for module in modules():
        for test in finder.find(module):
            if test.examples and test.name not in seen:
                seen.add(test.name)
                yield test


def public_objects() -> Iterator[tuple[str, Any]]:
    for name in uvenv.__all__:
        value = getattr(uvenv, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            yield name, value
        if inspect.isclass(value):
            for member, function in vars(value).items():
                if not member.startswith("_") and (inspect.isroutine(function) or isinstance(function, property)):
                    yield f"{name}.{member}", getattr(value, member)


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    return ((name, value) for name, value in public_objects() if inspect.isroutine(value))


def named(pairs: Iterator[tuple[str, Any]]) -> list[Any]:
    return [pytest.param(value, id=name) for name, value in pairs]


@pytest.mark.parametrize("example", [pytest.param(test, id=test.name) for test in examples()])
def test_examples_run(example: doctest.DocTest, repo_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo_path)
    example.globs = {"uvenv": uvenv, "__name__": "__main__"}
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
    runner.run(example, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("value", named(public_objects()))
def test_public_names_have_docstrings(value: Any) -> None:
    assert inspect.getdoc(value)


@pytest.mark.parametrize("function", named(public_functions()))
def test_arguments_are_documented(function: Callable[..., Any]) -> None:
    text = inspect.getdoc(function) or ""
    signature = inspect.signature(function)
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    for name, parameter in signature.parameters.items():
        if name not in {"self", "cls"}:
            assert f"\n    {stars.get(parameter.kind.name, '')}{name}: " in text, f"`{name}` is not explained"
    if signature.return_annotation not in {None, "None", inspect.Signature.empty}:
        assert "\nReturns:\n" in text, "what it returns is not explained"
    assert ">>>" in text, "there is no example"

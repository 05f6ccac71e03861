"""The exceptions: one for each code that a call can raise, with everything that the command line says."""

from __future__ import annotations

import pickle
import re
import subprocess
from pathlib import Path

import pytest
from conftest import DOCS, command_line

import uvenv

# Sections of the page on errors whose codes no call raises.
NOT_RAISED = ("Build scripts", "`new`", "Warnings")


def classes(base: type[uvenv.Error] = uvenv.Error) -> list[type[uvenv.Error]]:
    return [one for cls in base.__subclasses__() for one in (cls, *classes(cls))]


def camel(code: str) -> str:
    return "".join(word.capitalize() for word in code.split("-"))


def test_each_code_has_its_class() -> None:
    documented = list[str]()
    section = ""
    for line in (DOCS / "errors.md").read_text().splitlines():
        if match := re.fullmatch(r"## (.+)", line):
            section = match[1]
        elif (match := re.fullmatch(r"### `(.+)`", line)) and section not in NOT_RAISED:
            documented.append(match[1])
    assert len(documented) > 40
    have = {cls.code: cls for cls in classes() if cls.__subclasses__() == []}
    corrected = "\n".join(f'class {camel(code)}(…, code="{code}")' for code in documented)
    assert set(have) == set(documented), f"the classes should be:\n{corrected}"
    for code, cls in have.items():
        assert cls.__name__ == camel(code)
        assert getattr(uvenv, cls.__name__) is cls


@pytest.mark.parametrize("cls", [pytest.param(cls, id=cls.__name__) for cls in classes()])
def test_error_classes_keep_their_fields_and_pickle(cls: type[uvenv.Error]) -> None:
    error = cls("no", help="yes", path="a/b.toml", line=3, column=4, text="error[x]: no")
    assert (error.message, error.help, error.path, error.line, error.column) == ("no", "yes", Path("a/b.toml"), 3, 4)
    assert str(error) == "error[x]: no"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert (str(again), again.__dict__) == (str(error), error.__dict__)
    assert str(cls("no")) == "no"


def said(repo: uvenv.Monorepo, *arguments: str) -> str:
    """The error text that the command line prints, without colours."""
    command = command_line("-C", repo.root, "--color", "never", *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return done.stderr


def test_errors_match_the_command_line(repo: uvenv.Monorepo) -> None:
    with pytest.raises(uvenv.BackendRequired) as raised:
        repo.sync("prod")
    error = raised.value
    manifest = repo.root / "prod" / "pyproject.toml"
    assert (error.code, error.path) == ("backend-required", manifest)
    assert error.line is not None
    line = manifest.read_text().splitlines()[error.line - 1]
    assert line.startswith("conflicts")
    assert error.column == line.index("{") + 1
    assert error.help is not None
    assert "--backend cu124" in error.help
    printed = said(repo, "sync", "--profile", "prod")
    for part in (f"error[backend-required]: {error.message}", error.help, line):
        assert part in str(error)
        assert part in printed
    assert f"{manifest}:{error.line}:{error.column}" in str(error)
    assert isinstance(error, uvenv.RequestError)


def test_manifest_errors_have_a_place(repo: uvenv.Monorepo) -> None:
    manifest = repo.root / "prod" / "pyproject.toml"
    manifest.write_text(manifest.read_text() + "\n[tool.uv\n")
    lines = manifest.read_text().splitlines()
    for call in (lambda: repo.sync("prod"), lambda: repo.profiles, lambda: repo.lock("prod")):
        with pytest.raises(uvenv.ManifestError) as raised:
            call()
        error = raised.value
        assert isinstance(error, uvenv.InvalidToml)
        assert error.path == manifest
        assert error.line == len(lines)
        assert error.column is not None


def test_stale_lockfile(repo: uvenv.Monorepo) -> None:
    manifest = repo.root / "staging" / "pyproject.toml"
    manifest.write_text(manifest.read_text().replace("v0.1.2.dev0", "v0.1.2", 1))
    with pytest.raises(uvenv.StaleLockfile, match=r"bench-utils|model-interface|print-utils") as raised:
        repo.lock("staging", locked=True)
    assert raised.value.path == manifest
    with pytest.raises(uvenv.StaleLockfile):
        repo.sync("staging", backend="none")
    assert isinstance(raised.value, uvenv.LockfileError)


def test_uv_failed(repo: uvenv.Monorepo) -> None:
    manifest = repo.root / "prod" / "pyproject.toml"
    manifest.write_text(
        manifest.read_text().replace("dependencies = [", 'dependencies = [\n    "six==1.16.0",\n    "six==1.15.0",', 1)
    )
    with pytest.raises(uvenv.UvFailed, match="uv-failed") as raised:
        repo.lock("prod")
    assert raised.value.returncode == 1
    assert "No solution found" in raised.value.stderr
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.returncode, again.stderr) == (1, raised.value.stderr)


def test_missing_tag(repo: uvenv.Monorepo) -> None:
    manifest = repo.root / "prod" / "pyproject.toml"
    manifest.write_text(manifest.read_text().replace('"v0.1.2"', '"v9.9.9"'))
    with pytest.raises(uvenv.MissingTag) as raised:
        repo.lock("prod")
    assert raised.value.path == manifest
    assert "v9.9.9" in raised.value.message


@pytest.mark.parametrize(
    "arguments",
    [
        {"frozen": True, "locked": True},
        {"release": True, "debug": True},
        {"all_packages": True, "package": "bench-utils"},
        {"allow_stale": True},
        {"backend": "not a name"},
        {"group": "not a name"},
        {"profile": "production"},
    ],
    ids=str,
)
def test_rejects_invalid_arguments(repo: uvenv.Monorepo, arguments: dict[str, bool | str]) -> None:
    with pytest.raises(uvenv.InvalidArguments) as raised:
        repo.sync(**{"profile": "prod", **arguments})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    flags = [f"--{name.replace('_', '-')}" for name, value in arguments.items() if value is True]
    flags += [f"--{name}={value}" for name, value in arguments.items() if value is not True]
    assert "error" in said(repo, "sync", *flags)
    assert raised.value.code == "invalid-arguments"


def test_rejects_invalid_lock_arguments(repo: uvenv.Monorepo) -> None:
    with pytest.raises(uvenv.InvalidArguments):
        repo.lock("prod", locked=True, upgrade=True)
    with pytest.raises(uvenv.InvalidArguments):
        repo.lock("prod", locked=True, upgrade_package="six")


def test_wrong_types_are_type_errors(repo: uvenv.Monorepo) -> None:
    with pytest.raises(TypeError):
        repo.sync("prod", backend=7)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError):
        repo.sync("prod", bakcend="cu124")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def test_unknown_names(repo: uvenv.Monorepo) -> None:
    with pytest.raises(uvenv.UnknownBackend, match="did you mean `cu124`"):
        repo.sync("prod", backend="cu125")
    with pytest.raises(uvenv.UnknownFeature):
        repo.sync("prod", features="no-such-feature")
    with pytest.raises(uvenv.UnknownCrate):
        repo.sync("prod", features="cu124", crate="no-such-crate")
    with pytest.raises(uvenv.UnknownPackage):
        repo.sync("dev", backend="cu124", package="no-such-package")


def test_keeps_a_directory_that_is_not_an_environment(repo: uvenv.Monorepo) -> None:
    environment = repo.root / "prod" / ".venv"
    environment.mkdir()
    (environment / "precious.txt").write_text("data")
    with pytest.raises(uvenv.NotAnEnvironment) as raised:
        repo.sync("prod", backend="none")
    assert isinstance(raised.value, uvenv.VirtualEnvironmentError)
    assert (environment / "precious.txt").exists()

"""`uvenv.activate`: an environment's packages in a running interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kernels import jupyter_variables, started

import uvenv

BEGIN = """
import json, os, sys, warnings
import uvenv
def show(*values): print(json.dumps(values))
repo = uvenv.Monorepo.discover()
"""


def run_python(code: str, directory: Path, *, python: Path | None = None, **variables: str) -> list[Any]:
    """Runs code in a separate interpreter and returns the values of each call of `show`."""
    command = [python or sys.executable, "-W", "error", "-c", BEGIN + code]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def synced(repo: uvenv.Monorepo) -> uvenv.Monorepo:
    """A monorepo whose dev and prod environments use our Python."""
    for profile in ("dev", "prod"):
        repo.sync(profile, backend="cu124", python=sys.executable)
    return repo


@pytest.fixture
def legacy(repo_path: Path) -> Path:
    """A workspace package whose editable install is a setuptools import finder instead of a path."""
    directory = repo_path / "packages" / "legacy"
    (directory / "legacy").mkdir(parents=True)
    (directory / "legacy" / "__init__.py").write_text("NAME = 'legacy'\n")
    (directory / "tests").mkdir()
    (directory / "pyproject.toml").write_text(
        '[project]\nname = "legacy"\nversion = "1"\n\n'
        '[build-system]\nrequires = ["setuptools>=69"]\nbuild-backend = "setuptools.build_meta"\n\n'
        '[tool.setuptools]\npackages = ["legacy"]\n'
    )
    manifest = repo_path / "pyproject.toml"
    text = manifest.read_text().replace("dependencies = [", 'dependencies = [\n    "legacy",', 1)
    manifest.write_text(text.replace("[tool.uv.sources]\n", "[tool.uv.sources]\nlegacy = { workspace = true }\n", 1))
    return directory


def test_editable_packages_are_importable(synced: uvenv.Monorepo) -> None:
    code = (
        "report = uvenv.activate('dev')\nimport bench_utils\nshow(report.profile, report.backend, bench_utils.__file__)"
    )
    ((profile, backend, file),) = run_python(code, synced.root)
    assert (profile, backend) == ("dev", "cu124")
    assert Path(file).is_relative_to(synced.root / "packages" / "bench-utils")


def test_installed_packages_are_importable(synced: uvenv.Monorepo) -> None:
    code = (
        "uvenv.activate('prod')\nimport bench_utils, nvidia.cuda_runtime as n\nshow(bench_utils.__file__, *n.__path__)"
    )
    ((ours, nvidia),) = run_python(code, synced.root)
    for file in (ours, nvidia):
        assert Path(file).is_relative_to(synced.profiles["prod"].environment)


def test_named_backend_must_be_that_of_the_environment(synced: uvenv.Monorepo) -> None:
    for call in (synced.env, synced.activate):
        with pytest.raises(uvenv.UnknownBackend, match="nonsense"):
            call("dev", backend="nonsense")
        with pytest.raises(uvenv.OtherBackend, match="cu124"):
            call("dev", backend="cu128")
    with pytest.raises(uvenv.OtherBackend):
        synced.run(["python", "-V"], profile="dev", no_sync=True, backend="none")
    assert synced.env("dev", backend="cu124").backend == "cu124"


def test_setuptools_import_finders_are_activated(repo: uvenv.Monorepo, legacy: Path) -> None:
    repo.sync("dev", backend="none", python=sys.executable)
    repo.sync("prod", backend="none", python=sys.executable)
    code = """
uvenv.activate("dev")
finders = len(sys.meta_path)
import legacy
show(legacy.__file__)
del sys.modules["legacy"]
uvenv.activate("prod")
try:
    import legacy
except ImportError:
    show("is gone")
uvenv.activate("dev")
import legacy
show(legacy.__file__, len(sys.meta_path) - finders)
"""
    file = str(legacy / "legacy" / "__init__.py")
    assert run_python(code, repo.root) == [[file], ["is gone"], [file, 0]]


def test_keeps_the_path_order_of_the_environment(synced: uvenv.Monorepo, legacy: Path) -> None:
    assert legacy.exists()
    environment = synced.sync("dev", backend="cu124", python=sys.executable).environment
    own = subprocess.run(
        [environment / "bin" / "python", "-c", "import json, sys; print(json.dumps(sys.path))"],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = [path for path in json.loads(own.stdout) if Path(path).is_relative_to(synced.root)]
    code = "before = list(sys.path)\nuvenv.activate('dev')\nshow(before, sys.path)"
    ((before, after),) = run_python(code, synced.root)
    site = next(at for at, path in enumerate(before) if path.endswith("site-packages"))
    assert expected
    assert after == [*before[:site], *expected, *before[site:]]


def test_environment_packages_precede_our_own(synced: uvenv.Monorepo) -> None:
    before = "import pytest\nshow(pytest.__file__)"
    ((file,),) = run_python(before, synced.root)
    assert not Path(file).is_relative_to(synced.root)
    site = site_of(synced, "prod")
    (site / "pytest").mkdir()
    (site / "pytest" / "__init__.py").touch()
    ((file,),) = run_python("uvenv.activate('prod')\n" + before, synced.root)
    assert Path(file).is_relative_to(site)


def site_of(repo: uvenv.Monorepo, profile: str) -> Path:
    """The directory of an environment's packages."""
    (site,) = repo.profiles[profile].environment.glob("lib/python*/site-packages")
    return site


def test_sets_the_variables_of_the_environment(synced: uvenv.Monorepo) -> None:
    code = """
report = uvenv.activate("prod")
names = ("VIRTUAL_ENV", "UVENV_PROFILE", "UVENV_BACKEND", "PYTHONPATH", "LD_LIBRARY_PATH")
show(*(os.environ.get(name) for name in names))
import shutil
show(shutil.which("python"))
"""
    environment = synced.profiles["prod"].environment
    path = str(synced.root / "prod")
    values, (python,) = run_python(code, synced.root, PYTHONPATH=path, LD_LIBRARY_PATH="/nowhere")
    assert values == [str(environment), "prod", "cu124", None, "/nowhere"]
    assert python == str(environment / "bin" / "python")


def test_second_profile_replaces_the_first(synced: uvenv.Monorepo) -> None:
    code = """
paths, variables = list(sys.path), dict(os.environ)
uvenv.activate("dev")
uvenv.activate("prod")
import bench_utils
show(bench_utils.__file__, [path for path in sys.path if path not in paths])
changed = {name for name in variables | os.environ if variables.get(name) != os.environ.get(name)}
show(os.environ["PATH"].removesuffix(variables["PATH"]), sorted(changed))
"""
    environment = synced.profiles["prod"].environment
    (file, paths), (programs, changed) = run_python(code, synced.root)
    assert Path(file).is_relative_to(environment)
    assert paths == [str(site_of(synced, "prod"))]
    assert programs == f"{environment / 'bin'}{os.pathsep}"
    assert {"PATH", "VIRTUAL_ENV", "UVENV_BACKEND", "UVENV_PROFILE"} <= set(changed)


def test_keeps_changes_made_after_activation(synced: uvenv.Monorepo) -> None:
    code = """
uvenv.activate("dev")
os.environ["PATH"] = "/mine" + os.pathsep + os.environ["PATH"]
sys.path.insert(0, "/mine")
uvenv.activate("prod")
show(sys.path[0], os.environ["PATH"].split(os.pathsep)[:3])
"""
    ((path, programs),) = run_python(code, synced.root)
    assert path == "/mine"
    assert programs[:2] == [str(synced.profiles["prod"].environment / "bin"), "/mine"]
    assert str(synced.profiles["dev"].environment / "bin") not in programs


def test_warns_about_modules_imported_from_elsewhere(synced: uvenv.Monorepo, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "bench_utils-0.0.1.dist-info").mkdir(parents=True)
    (elsewhere / "bench_utils-0.0.1.dist-info" / "METADATA").write_text("Name: bench-utils\nVersion: 0.0.1\n")
    for name in ("bench_utils.py", "print_utils.py", "of_no_environment.py"):
        (elsewhere / name).touch()
    code = """
import bench_utils, print_utils, of_no_environment
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    uvenv.activate("prod")
(warning,) = caught
show(warning.category.__name__, str(warning.message), warning.filename)
"""
    ((category, text, file),) = run_python(code, synced.root, PYTHONPATH=str(elsewhere))
    assert category == "ActivationWarning"
    assert text.endswith(": bench_utils 0.0.1 (environment: 0.1.2), print_utils")
    assert str(synced.profiles["prod"].environment) in text
    assert file == "<string>"


def test_does_not_warn_about_modules_of_the_environment(synced: uvenv.Monorepo) -> None:
    code = "uvenv.activate('dev')\nimport bench_utils\nuvenv.activate('dev')\nshow(True)"
    assert run_python(code, synced.root) == [[True]]
    code = "uvenv.activate('dev')\nimport bench_utils\nuvenv.activate('prod')"
    with pytest.raises(AssertionError, match=r"ActivationWarning: already imported from elsewhere.*: bench_utils"):
        run_python(code, synced.root)


def test_activating_our_own_environment_changes_nothing(synced: uvenv.Monorepo) -> None:
    environment = synced.profiles["dev"].environment
    code = "paths = list(sys.path)\nuvenv.activate('dev')\nshow(paths == sys.path, 'VIRTUAL_ENV' in os.environ)"
    ours = os.pathsep.join([str(Path(uvenv.__file__).parents[1]), *filter(None, sys.path[1:])])
    shown = run_python(code, synced.root, python=environment / "bin" / "python", PYTHONPATH=ours)
    assert shown == [[True, False]]


def test_rejects_a_missing_environment(repo: uvenv.Monorepo) -> None:
    with pytest.raises(uvenv.MissingEnvironment):
        repo.activate("prod")


def test_rejects_another_python(repo: uvenv.Monorepo) -> None:
    other = next((found for found in pythons() if found[:2] != list(sys.version_info[:2])), None)
    if other is None:
        pytest.skip("there is no other Python on this machine")
    repo.sync("dev", backend="none", python=".".join(map(str, other)))
    before = list(sys.path), dict(os.environ)
    with pytest.raises(uvenv.OtherPython) as caught:
        repo.activate("dev")
    assert (list(sys.path), dict(os.environ)) == before
    text = str(caught.value)
    assert f"{other[0]}.{other[1]}" in text
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in text


def pythons() -> list[list[int]]:
    """The installed versions of CPython that the monorepo supports."""
    command = [sys.executable, "-m", "uv", "python", "list", "--only-installed", "--output-format", "json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    versions = [one["version_parts"] for one in found if one["implementation"] == "cpython"]
    return [[one["major"], one["minor"], one["patch"]] for one in versions if (one["major"], one["minor"]) >= (3, 10)]


def test_works_in_a_notebook(synced: uvenv.Monorepo, tmp_path: Path) -> None:
    with started(synced.root, jupyter_variables(tmp_path)) as kernel:
        kernel.run("import uvenv\nuvenv.activate('dev')")
        assert "bench-utils" in kernel.run("import bench_utils\nprint(bench_utils.__file__)").stdout
        outputs = kernel.run("uvenv.activate('prod')")
        assert "ActivationWarning: already imported from elsewhere" in outputs.stderr
        assert "bench_utils" in outputs.stderr

"""The magics, in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import Kernel, jupyter_variables, started

import uvenv


@pytest.fixture
def kernel(repo_path: Path, tmp_path: Path) -> Iterator[Kernel]:
    """A kernel with the magics, in a monorepo."""
    with started(repo_path, jupyter_variables(tmp_path / "jupyter")) as kernel:
        kernel.run("%load_ext uvenv")
        yield kernel


def test_reports_are_returned_and_shown(kernel: Kernel) -> None:
    (html,) = kernel.run("%uvenv status").data("text/html")
    assert "Internal packages" in html
    outputs = kernel.run(
        "report = %uvenv lock --profile staging --locked\nprint(type(report).__name__, report.changed)"
    )
    assert outputs.stdout == "LockReport False\n"
    (text,) = kernel.run("%uvenv backends").data("text/plain")
    assert "cu128" in text
    kernel.run("%uvenv detect")


def test_sync_plan_and_run(kernel: Kernel, repo: uvenv.Monorepo) -> None:
    shown = kernel.run("%uvenv sync --profile prod --dry-run --backend cu124").data("text/plain")
    assert "SyncPlanned(profile='prod', backend='cu124'" in shown[-1]
    (html,) = kernel.run("%uvenv sync --profile prod --backend=cu124 -- --no-progress").data("text/html")
    assert "prod synced" in html
    assert (repo.profiles["prod"].environment / "pyvenv.cfg").exists()
    script = "import sys, bench_utils\nprint(sys.argv[1:], bench_utils.__file__)"
    outputs = kernel.run(f"%%uvenv run --profile prod -- one 'two words'\n{script}")
    assert outputs.stdout.startswith("['one', 'two words'] ")
    assert str(repo.profiles["prod"].environment) in outputs.stdout
    outputs = kernel.run("%uvenv run --profile prod -- python -c 'import sys; print(sys.prefix)'")
    assert outputs.stdout == f"{repo.profiles['prod'].environment}\n"


def test_check_promote_and_diff(kernel: Kernel, repo: uvenv.Monorepo) -> None:
    manifest = repo.root / "prod" / "pyproject.toml"
    manifest.write_text(manifest.read_text().replace('"v0.1.2"', '"v0.1.2.dev0"'))
    kernel.run("%uvenv lock --profile prod")
    (html,) = kernel.run("%uvenv check --profile prod --profile dev --allow tag-prefix").data("text/html")
    assert "dev-tag-in-prod" in html
    (html,) = kernel.run("%uvenv promote --to prod bench-utils print-utils=v0.1.2").data("text/html")
    assert "prod: 2 packages promoted" in html
    outputs = kernel.run("report = %uvenv diff staging..prod\nprint([one.name for one in report.internal])")
    assert outputs.stdout == "['bench-utils', 'print-utils']\n"
    (html,) = kernel.run("%uvenv diff dev prod").data("text/html")
    assert "dev and prod differ" in html


def test_activate(kernel: Kernel) -> None:
    kernel.run("import sys\n%uvenv sync --backend none --python {sys.executable}")
    kernel.run("%uvenv activate --profile dev")
    assert "bench-utils" in kernel.run("import bench_utils\nprint(bench_utils.__file__)").stdout


def test_streams_output(kernel: Kernel) -> None:
    kernel.run("%uvenv sync --backend none")
    # The script waits for a file that the notebook writes once it has seen the first line.
    kernel.run(
        "import sys, pathlib\nclass Watching:\n"
        "    def write(self, text):\n        self.seen = getattr(self, 'seen', '') + text\n"
        "        if 'first' in self.seen: pathlib.Path('seen').touch()\n"
        "    def flush(self): pass\n"
        "watching, kept = Watching(), sys.stdout"
    )
    cell = (
        "import contextlib\nwith contextlib.redirect_stdout(watching):\n"
        "    get_ipython().run_cell_magic('uvenv', 'run', '''\n"
        "import pathlib, time\nprint('first')\n"
        "while not pathlib.Path('seen').exists(): time.sleep(0.05)\n"
        "print('\\\\u00e9nd')\n''')\n"
        "print(repr(watching.seen))"
    )
    assert kernel.run(cell).stdout == "'first\\nénd\\n'\n"


def test_stderr_and_the_exit_status(kernel: Kernel) -> None:
    kernel.run("%uvenv sync --backend none")
    outputs = kernel.run("%%uvenv run\nimport sys\nprint('to stderr', file=sys.stderr)")
    assert "to stderr\n" in outputs.stderr
    name, shown = kernel.fail("%%uvenv run\nimport sys\nsys.exit(3)")
    assert (name, shown) == ("CalledProcessError", "the cell ended with exit status 3")
    reply, outputs = kernel.try_to_run("%%uvenv run\n1 +")
    assert reply["status"] == "error"
    assert "SyntaxError" in outputs.stderr
    name, shown = kernel.fail("%uvenv run -- python -c 'exit(2)'")
    assert shown == "`python -c 'exit(2)'` ended with exit status 2"


def test_help(kernel: Kernel) -> None:
    for line in ("%uvenv", "%uvenv --help", "%uvenv help"):
        shown = kernel.run(line).stdout
        assert "kernel install" in shown
    shown = kernel.run("%uvenv sync --help").stdout
    assert "--no-default-groups" in shown
    assert "Recreate the environment" in shown
    assert "Arguments after `--`: passed to uv unchanged." in " ".join(shown.split())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sync --profil dev", "unrecognized arguments: --profil dev (`%uvenv sync --help` explains the flags)"),
        ("sync --backend", "argument --backend: expected one argument"),
        ("synk", "`synk` is not a command of `%uvenv`; the commands are status, lock,"),
        ("kernel", "`kernel` is not a command of `%uvenv`"),
        ("kernel remove", "the following arguments are required: name"),
        ("promote bench-utils", "the following arguments are required: --to"),
        ("diff", "the following arguments are required: a"),
        ("status -- x", "`%uvenv status` takes no arguments after `--`"),
        ("sync 'dev", "No closing quotation"),
        ("run --profile dev", "`%uvenv run` requires a command after `--`"),
    ],
)
def test_reports_wrong_usage(ipython_kernel: Kernel, line: str, expected: str) -> None:
    name, shown = ipython_kernel.fail(f"%uvenv {line}")
    assert name == "UsageError"
    assert expected in shown


def test_only_run_accepts_a_cell(ipython_kernel: Kernel) -> None:
    name, shown = ipython_kernel.fail("%%uvenv status\nx")
    assert name == "UsageError"
    assert "`%%uvenv status` does not take a cell" in shown


def test_shows_the_errors_of_the_command_line(ipython_kernel: Kernel) -> None:
    name, shown = ipython_kernel.fail("%uvenv sync --backend cu999")
    assert name == "UnknownBackend"
    assert shown.startswith("error[unknown-backend]: `cu999`")
    assert "help: " in shown
    assert "Traceback" not in shown


@pytest.fixture(scope="module")
def ipython_kernel(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel for cells that change nothing, in the monorepo that other tests copy."""
    jupyter = jupyter_variables(tmp_path_factory.mktemp("jupyter"))
    with started(template / "staging", jupyter) as kernel:
        kernel.run("%load_ext uvenv")
        yield kernel


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%uvenv st", ["status"]),
        ("%uvenv sync --prof", ["--profile"]),
        ("%uvenv sync --profile ", ["dev", "staging", "prod"]),
        ("%uvenv sync --profile=st", ["staging"]),
        ("%uvenv sync --profile prod --backend ", ["cu124", "cu128", "auto", "none"]),
        ("%uvenv promote --to ", ["staging", "prod"]),
        ("%uvenv diff st", ["staging"]),
        ("%uvenv diff staging p", ["prod"]),
        ("%uvenv kernel ", ["install", "list", "remove"]),
        ("%uvenv kernel install --prof", ["--profile"]),
        ("%%uvenv run --no-s", ["--no-sync"]),
        ("%uvenv run -- --prof", []),
    ],
)
def test_completion(ipython_kernel: Kernel, line: str, expected: list[str]) -> None:
    found = ipython_kernel.complete(line)
    if expected:
        assert found == expected
    else:
        assert not {"cu124", "--profile"} & set(found)


def test_completes_outside_of_a_monorepo(ipython_kernel: Kernel, tmp_path: Path) -> None:
    ipython_kernel.run(f"import os; before = os.getcwd(); os.chdir({str(tmp_path)!r})")
    try:
        assert not {"dev", "prod"} & set(ipython_kernel.complete("%uvenv sync --profile "))
        assert ipython_kernel.fail("%uvenv status")[0] == "NoMonorepo"
    finally:
        ipython_kernel.run("os.chdir(before)")

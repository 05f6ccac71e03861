"""Whole commands of uvenv against those of uv, in turn, on monorepos of 4, 200 and 1,000 members.

    python3 tests/benches/commands.py [--runs N] [--others] [--quick]

Needs cargo, a linker and a Python; takes uv from `UVENV_UV`, from `PATH`, or lets uvenv fetch it. Where hyperfine is
on `PATH`, it takes the times; otherwise this does, in turn, and the medians count. `--others` adds pdm and poetry,
which pip installs into a directory of its own; `--quick` leaves the largest monorepo out.
"""

import argparse
import contextlib
import functools
import http.server
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

Commands = list[list[str]]


class Failed(Exception):
    """A command that failed."""


@dataclass
class Tools:
    """The programs, and the variables that all of them see."""

    uv: str
    uvenv: list[str]
    floor: str
    variables: dict[str, str]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=41, help="how often each command runs")
    parser.add_argument("--others", action="store_true", help="pdm and poetry as well")
    parser.add_argument("--quick", action="store_true", help="without the monorepo of 1,000 members")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uvenv-bench-") as directory:
        place = Path(directory)
        tools = find_tools(place)
        print(f"{version(tools.uv)}, {os.cpu_count()} cores, medians of {options.runs}\n")
        measure_nothing_to_do(tools, place, options)
        measure_work(tools, place, options)
        measure_locks(tools, place)
        if options.others:
            measure_others(tools, place, options)


# What is measured.


def measure_nothing_to_do(tools: Tools, place: Path, options: argparse.Namespace) -> None:
    """Nothing to do, at each size: the commands, the floor, and what a member costs."""
    found: dict[int, float] = {}
    for members, wheels in [(4, 4), (200, 100)] + ([] if options.quick else [(1000, 100)]):
        root = monorepo(place / f"members-{members}", members, wheels)
        size = f"{members} of {members + wheels} distributions are members"
        bring_to_rest(tools, root)
        sync, run = [*tools.uvenv, "sync"], [*tools.uvenv, "run", "--", "true"]
        limit = {4: 0.20, 200: 0.07}.get(members)
        of_sync = compare(tools, root, f"sync, {size}", [[tools.uv, "sync"]], [sync], runs=options.runs, limit=limit)
        limit = {200: 0.10}.get(members)
        compare(tools, root, f"run, {size}", [[tools.uv, "run", "true"]], [run], runs=options.runs, limit=limit)
        for label, more in [
            ("a bare program that looks at each once", []),
            ("and one that looks at all that counts", ["all"]),
        ]:
            floor = [[tools.floor, str(root), *more]]
            [of_floor] = times(tools, root, [floor], options.runs)
            print(f"  {label:<52} {of_floor * 1e3:8.2f} ms   $ {shown(floor)}")
        memory = peak(tools, root, sync) / 1024
        print(f"  {'peak memory':<52} {memory:8.1f} MB{over(memory, 30)}\n")
        found[members] = of_sync
    if 1000 in found:
        growth = (found[1000] - found[200]) / 800 * 1e6
        print(f"  {'each member from 200 to 1,000':<52} {growth:8.2f} µs{over(growth, 10)}\n")


def measure_work(tools: Tools, place: Path, options: argparse.Namespace) -> None:
    """A sync that installs fifty distributions, and one that removes them; and one that makes an environment."""
    root = monorepo(place / "work", 4, 300)
    bring_to_rest(tools, root)
    back_and_forth = [[tools.uv, "sync", "--extra", "more"], [tools.uv, "sync"]]
    by_uvenv = [[*tools.uvenv, "sync", "--extra", "more"], [*tools.uvenv, "sync"]]
    compare(
        tools, root, "sync, 50 distributions come and go", back_and_forth, by_uvenv, runs=options.runs // 2, limit=1.05
    )
    compare(
        tools,
        root,
        "sync, a new environment with 304 distributions",
        [[tools.uv, "sync"]],
        [[*tools.uvenv, "sync"]],
        runs=options.runs // 2,
        limit=1.05,
        before=lambda: shutil.rmtree(root / ".venv", ignore_errors=True),
    )
    print()


def measure_locks(tools: Tools, place: Path) -> None:
    """Three profiles, nothing cached, from an index that takes its time: in turn, at once, and at once by a shell."""
    for milliseconds in (20, 100):
        root = monorepo(place / f"locks-{milliseconds}", 4, 60)
        with index(root / "wheels", latency=milliseconds / 1e3) as url:
            profiles(root, 60, url)
            directories = [root, root / "staging", root / "prod"]
            in_turn = [[tools.uv, "lock", "--project", str(directory)] for directory in directories]
            by_shell = [["sh", "-c", " & ".join(map(shlex.join, in_turn)) + " & wait"]]
            at_once = [[*tools.uvenv, "lock", "--all-profiles"]]
            cold_tools = replace(tools, variables={**tools.variables, "UV_CACHE_DIR": str(root / "uv-cache")})
            cold = functools.partial(forget, root / "uv-cache", directories)
            label = f"lock, three profiles, cold, {milliseconds} ms an answer"
            compare(cold_tools, root, label, in_turn, at_once, runs=7, limit=0.5, before=cold)
            [of_shell] = times(cold_tools, root, [by_shell], 7, cold)
            print(f"  {'the same three uv, started at once by a shell':<52} {of_shell * 1e3:8.2f} ms")
    print()


def forget(cache: Path, directories: list[Path]) -> None:
    """Remove the lockfiles and all that uv has cached."""
    shutil.rmtree(cache, ignore_errors=True)
    for directory in directories:
        (directory / "uv.lock").unlink(missing_ok=True)


def measure_others(tools: Tools, place: Path, options: argparse.Namespace) -> None:
    """The same nothing by pdm and poetry, in turn with uvenv, in projects of 8 and 300 wheels."""
    # The newest pdm with the newest of what it depends on does not start: it takes any version of both.
    for name, requirements in [("pdm", ["pdm", "hishel<2", "unearth<0.18"]), ("poetry", ["poetry"])]:
        # Each by itself: they want different versions of others.
        where = place / name
        subprocess.run([sys.executable, "-m", "venv", str(where)], check=True)
        pip = [str(where / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True)
        other = replace(tools, variables={**tools.variables, **of_others(place / f"home-of-{name}")})
        program = str(where / "bin" / name)
        for distributions in [8, 300]:
            theirs, ours = (wheels_only(place / f"{whose}-{name}-{distributions}", distributions) for whose in "ab")
            label = f"sync, {distributions} distributions, against {name}"
            try:
                call(other, theirs, [program, "lock"])
                call(other, theirs, [program, "sync"])
            except Failed as failed:
                # Not every version of it works with the newest of what it depends on.
                print(f"  {label:<52} it does not run here: {str(failed).splitlines()[-1]}")
                break
            bring_to_rest(tools, ours)
            their_sync = [program, "sync", "--project" if name == "pdm" else "--directory", str(theirs)]
            runs = max(options.runs // 4, 5)
            compare(other, ours, label, [their_sync], [[*tools.uvenv, "sync"]], runs=runs, limit=None)


def of_others(home: Path) -> dict[str, str]:
    """The variables of pdm and poetry: nothing of theirs outlives us, and no question goes out for a newer pdm."""
    home.mkdir()
    directories = {name: str(home / name) for name in ("PDM_LOG_DIR", "PDM_CACHE_DIR", "POETRY_CACHE_DIR")}
    return {**directories, "PDM_CHECK_UPDATE": "false", "POETRY_VIRTUALENVS_IN_PROJECT": "true"}


def wheels_only(root: Path, distributions: int) -> Path:
    """Lay out a project that all of them understand: wheels by their files, so that no index is asked."""
    names = [f"wheel-{number:04}" for number in range(distributions)]
    (root / "wheels").mkdir(parents=True)
    for name in names:
        wheel(root / "wheels", name)
    files = [(root / "wheels" / f"{name.replace('-', '_')}-1.0-py3-none-any.whl").as_uri() for name in names]
    dependencies = [f"{name} @ {file}" for name, file in zip(names, files, strict=True)]
    (root / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "0.1.0"\nrequires-python = ">=3.10,<4"\n'
        f"dependencies = {json.dumps(dependencies)}\n\n"
        "[tool.poetry]\npackage-mode = false\n\n[tool.pdm]\ndistribution = false\n"
    )
    return root


def bring_to_rest(tools: Tools, root: Path) -> None:
    """Sync until nothing is to be done, which is then known and, after two seconds, trusted."""
    for command in (["sync", "-q"], ["sync", "-q"], ["run", "-q", "--", "true"], ["run", "-q", "--", "true"]):
        call(tools, root, [*tools.uvenv, *command])
    time.sleep(2.5)
    for command in (["sync", "-q"], ["run", "-q", "--", "true"]):
        call(tools, root, [*tools.uvenv, *command])
    said = call(tools, root, [*tools.uvenv, "sync", "--message-format", "json"])
    report = json.loads(said.splitlines()[-1])
    assert report["uv_invoked"] is False, f"uv is not asked where nothing is to be done: {report}"


# How it is measured.


def compare(
    tools: Tools,
    root: Path,
    label: str,
    theirs: Commands,
    ours: Commands,
    *,
    runs: int,
    limit: float | None,
    before: Callable[[], None] | None = None,
) -> float:
    """Print both times and their ratio; the answer is ours, in seconds."""
    of_uv, of_uvenv = times(tools, root, [theirs, ours], runs, before)
    ratio = of_uvenv / of_uv
    print(f"  {label:<52} {of_uvenv * 1e3:8.2f} ms of {of_uv * 1e3:8.2f} ms: {ratio:.3f}{over(ratio, limit)}")
    print(f"      $ {shown(ours)}\n      $ {shown(theirs)}")
    return of_uvenv


def times(
    tools: Tools, root: Path, candidates: list[Commands], runs: int, before: Callable[[], None] | None = None
) -> list[float]:
    """How long each takes, in seconds."""
    if before is None and shutil.which("hyperfine"):
        return [by_hyperfine(tools, root, commands, runs) for commands in candidates]
    found: list[list[float]] = [[] for _ in candidates]
    # The first round warms up.
    for number in range(runs + 1):
        turns = list(zip(candidates, found, strict=True))
        # Nobody always comes after the same other, whose files the file system may still be writing.
        for commands, of_one in turns if number % 2 == 0 else reversed(turns):
            if before is not None:
                before()
            started = time.perf_counter()
            for command in commands:
                call(tools, root, command)
            if number > 0:
                of_one.append(time.perf_counter() - started)
    return [statistics.median(of_one) for of_one in found]


def by_hyperfine(tools: Tools, root: Path, commands: Commands, runs: int) -> float:
    """The median that hyperfine finds."""
    result = root.parent / "hyperfine.json"
    shell = ["-N"] if len(commands) == 1 else []
    words = ["hyperfine", *shell, "-w", "2", "-r", str(runs), "--style", "none", "--export-json", str(result)]
    text = " && ".join(shlex.join(command) for command in commands)
    call(tools, root, [*words, text])
    return json.loads(result.read_text())["results"][0]["median"]


def call(tools: Tools, root: Path, command: list[str]) -> str:
    """Run a command, which must succeed."""
    done = subprocess.run(command, cwd=root, env=tools.variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"$ {shlex.join(command)}\n{done.stderr.strip()}")
    return done.stdout


def peak(tools: Tools, root: Path, command: list[str]) -> float:
    """The most memory that a command takes, in KiB."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    return float(call(tools, root, [sys.executable, "-c", script, *command]))


def over(value: float, limit: float | None) -> str:
    """The limit, and whether it is kept."""
    if limit is None:
        return ""
    return f"   (at most {limit:g}{'' if value <= limit else ': OVER'})"


def shown(commands: Commands) -> str:
    """Commands as one would type them."""
    return " && ".join(" ".join([Path(command[0]).name, *command[1:]]) for command in commands)


def version(uv: str) -> str:
    """What uv says it is."""
    return subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout.strip()


# What it is measured with.


def find_tools(place: Path) -> Tools:
    """Build uvenv and the floor, and find uv."""
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "cargo-uvenv"], cwd=REPOSITORY, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    floor = place / "floor"
    source = Path(__file__).with_name("floor.rs")
    subprocess.run(["rustc", "-O", "--edition", "2024", "-o", str(floor), str(source)], check=True)
    left_out = ("UV_", "UVENV_", "VIRTUAL_ENV", "CARGO")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    variables["UVENV_CACHE_DIR"] = str(place / "cache")
    uvenv = [str(target / "release/cargo-uvenv"), "uvenv"]
    uv = os.environ.get("UVENV_UV") or shutil.which("uv")
    if uv is None:
        root = monorepo(place / "first", 1, 1)
        said = subprocess.run(
            [*uvenv, "sync", "--message-format", "json"],
            cwd=root,
            env=variables,
            capture_output=True,
            text=True,
            check=True,
        )
        uv = json.loads(said.stdout.splitlines()[-1])["uv"]["path"]
    variables["UVENV_UV"] = uv
    return Tools(uv, uvenv, str(floor), variables)


def monorepo(root: Path, members: int, distributions: int) -> Path:
    """Lay out a monorepo: members that are all installed, and distributions from a directory of wheels."""
    names = [f"member-{number:04}" for number in range(members)]
    wheels = [f"wheel-{number:04}" for number in range(distributions)]
    (root / "wheels").mkdir(parents=True)
    for name in [*wheels, *(f"more-{number:02}" for number in range(50))]:
        wheel(root / "wheels", name)
    for name in names:
        package(root / "packages" / name, name)
    sources = "".join(f"{name} = {{ workspace = true }}\n" for name in names)
    more = ", ".join(f'"more-{number:02}"' for number in range(50))
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "bench"\nversion = "0.1.0"\nrequires-python = ">=3.10"\n'
        f"dependencies = {json.dumps(names + wheels)}\n\n[project.optional-dependencies]\nmore = [{more}]\n\n"
        f'[tool.uv]\n\n[tool.uv.workspace]\nmembers = ["packages/*"]\n\n[tool.uv.sources]\n{sources}\n'
        f'[[tool.uv.index]]\nname = "wheels"\nurl = "wheels"\nformat = "flat"\ndefault = true\n'
    )
    return root


def package(directory: Path, name: str) -> None:
    """Lay out a package that uv builds by itself."""
    module = directory / "src" / name.replace("-", "_")
    module.mkdir(parents=True)
    (module / "__init__.py").write_text("")
    (directory / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.10"\n\n'
        '[build-system]\nrequires = ["uv_build>=0.7,<1"]\nbuild-backend = "uv_build"\n'
    )


def wheel(directory: Path, name: str) -> None:
    """Write a wheel with one module."""
    module = name.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    files = {
        f"{module}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(directory / f"{module}-1.0-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


def profiles(root: Path, distributions: int, url: str) -> None:
    """Make three profiles of a monorepo, with `distributions` from the index at `url`, and one pin."""
    remote = root / "remote"
    package(remote, "member-0000")
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["commit", "-qm", "first"],
        ["tag", "v0.1.0"],
        ["tag", "v0.1.0.dev0"],
    ):
        subprocess.run([*git, *command], cwd=remote, check=True)
    wheels = [f"wheel-{number:04}" for number in range(distributions)]
    of_index = f'\n[[tool.uv.index]]\nname = "wheels"\nurl = "{url}"\ndefault = true\n'
    dev = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(dev.split("\n[[tool.uv.index]]")[0] + of_index)
    for profile, tag in [("staging", "v0.1.0.dev0"), ("prod", "v0.1.0")]:
        (root / profile).mkdir()
        (root / profile / "pyproject.toml").write_text(
            f'[project]\nname = "bench-{profile}"\nversion = "0.1.0"\nrequires-python = ">=3.10"\n'
            f"dependencies = {json.dumps(['member-0000', *wheels])}\n\n[tool.uv.sources]\n"
            f'member-0000 = {{ git = "{remote.as_uri()}", tag = "{tag}" }}\n{of_index}'
        )


@contextlib.contextmanager
def index(wheels: Path, latency: float) -> Iterator[str]:
    """Serve a directory of wheels as a simple index (PEP 503) on the loopback, each answer `latency` seconds late."""

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 256

    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(latency)
            if not self.path.startswith("/simple/"):
                super().do_GET()
                return
            name = self.path.removeprefix("/simple/").strip("/").replace("-", "_")
            found = sorted(wheels.glob(f"{name}-*.whl"))
            links = "".join(f'<a href="/{path.name}">{path.name}</a>' for path in found)
            page = f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(wheels)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    finally:
        server.shutdown()


if __name__ == "__main__":
    main()

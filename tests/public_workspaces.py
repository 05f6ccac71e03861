"""Compares the verdicts of uv and uvenv on the lockfiles of public workspaces, as they are and with one change each.

    python3 tests/public_workspaces.py [--directory DIRECTORY] [--seed N] [--uv UV] [--uvenv CARGO_UVENV] [NAME...]

Clones the repositories of public_workspaces.txt into DIRECTORY, unless they are there, with their manifests and
lockfiles only. Then `uv lock --check --offline` is compared with `lock --locked`, `check` and `status` of uvenv. uv
needs the Pythons that they ask for; what uv cannot tell without the network, uvenv must call unknown.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
LIMIT = 120
FILES = ["**/pyproject.toml", "**/uv.lock", "**/uv.toml", "**/.python-version", "**/setup.py", "**/setup.cfg"]


def run(*words: object, directory: Path, **more: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "UVENV_"))}
    command = [str(word) for word in words]
    return subprocess.run(
        command, cwd=directory, env=variables | more, capture_output=True, text=True, timeout=LIMIT, check=False
    )


def clone(repository: str, commit: str, into: Path) -> None:
    """Fetches one commit, with the files that matter."""
    into.mkdir(parents=True)
    for words in (
        ["init", "--quiet"],
        ["remote", "add", "origin", f"https://github.com/{repository}.git"],
        ["sparse-checkout", "set", "--no-cone", *FILES],
        ["fetch", "--quiet", "--depth=1", "--filter=blob:none", "origin", commit],
        ["checkout", "--quiet", commit],
    ):
        subprocess.run(["git", *words], cwd=into, check=True, timeout=LIMIT)


def changed(text: str, rng: random.Random) -> str:
    """Makes a random change to a manifest."""
    lists = list(re.finditer(r"(?m)^(dependencies|dev|test|docs)\s*=\s*\[", text))
    ways = ["setting"] + (["added", "removed"] if lists else [])
    way = rng.choice(ways)
    if way == "setting":
        setting = rng.choice(
            ['constraint-dependencies = ["idna<99"]', 'resolution = "lowest"', 'exclude-newer = "2099-01-01"']
        )
        key = setting.split(" ")[0]
        if re.search(rf"(?m)^{key}\s*=", text):
            return text
        table = re.search(r"(?m)^\[tool\.uv\]\s*$", text)
        return text.replace(table[0], f"{table[0]}\n{setting}", 1) if table else f"{text}\n[tool.uv]\n{setting}\n"
    start = rng.choice(lists).end()
    if way == "added":
        return f'{text[:start]}"idna>=2",{text[start:]}'
    first = re.match(r"\s*(\"[^\"]*\"|'[^']*'),?", text[start:])
    return text[:start] + text[start + first.end() :] if first else text


def verdict(done: subprocess.CompletedProcess[str]) -> str:
    """What uv says, in one word. With `--verbose`, it says why it resolves, which is certain to change the lockfile."""
    resolves = re.search(r"existing lockfile due to (?!`--)", done.stderr)
    if done.returncode == 0:
        return "fresh"
    if "needs to be updated" in done.stderr or (done.returncode == 1 and resolves):
        return "stale"
    return "fails"


def disagreements(project: Path, uv: str, uvenv: str, home: str) -> tuple[str, list[str]]:
    variables = {"HOME": home, "UV_CACHE_DIR": f"{home}/cache", "UV_PYTHON_DOWNLOADS": "never", "UVENV_UV": uv}
    said = verdict(run(uv, "lock", "--check", "--offline", "--verbose", directory=project, **variables))

    def ours(*words: str) -> tuple[int, list[dict[str, object]]]:
        command = (uvenv, "uvenv", "--offline", "--message-format", "json", *words)
        done = run(*command, directory=project, **variables)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    wrong = []
    status, reports = ours("lock", "--locked")
    if (status == 0) != (said == "fresh"):
        wrong.append(f"lock --locked ends with {status}: {reports}")
    _, reports = ours("check", "--profile", "dev")
    codes = {str(finding["code"]) for report in reports for finding in report.get("findings", [])}
    stale = codes & {"stale-lockfile", "damaged-lockfile", "rejected-by-uv"}
    if (said == "fresh" and stale) or (said == "stale" and "stale-lockfile" not in codes):
        wrong.append(f"check finds {sorted(codes)}")
    if said == "fails" and not codes & {"unverified-lockfile", "rejected-by-uv", "damaged-lockfile"}:
        wrong.append(f"check finds {sorted(codes)}, and says nothing of the failure")
    _, reports = ours("status")
    states = [one["lockfile"]["state"] for report in reports for one in report.get("profiles", [])][:1]
    if (said == "fresh") != (states == ["fresh"]) or (said == "stale" and states != ["stale"]):
        wrong.append(f"status says {states}")
    return said, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--directory", type=Path, default=Path("target/public-workspaces"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--uv", default=shutil.which("uv"))
    parser.add_argument("--uvenv", default="target/debug/cargo-uvenv")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    uv, uvenv = str(Path(args.uv).resolve()), str(Path(args.uvenv).resolve())
    tally: Counter[str] = Counter()
    found = 0
    for line in (HERE / "public_workspaces.txt").read_text().splitlines():
        repository, commit, inner = line.split(" ")
        if args.names and repository not in args.names:
            continue
        tree = args.directory / repository.replace("/", "+")
        if not tree.exists():
            clone(repository, commit, tree)
        rng = random.Random(f"{args.seed} {line}")  # noqa: S311
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
            copy = Path(temporary).resolve() / "tree"
            shutil.copytree(tree, copy, symlinks=True)
            project = copy / inner
            manifest = project / "pyproject.toml"
            if not manifest.exists() or not (project / "uv.lock").exists():
                continue
            for kind in ("as it is", "changed"):
                if kind == "changed":
                    manifest.write_text(changed(manifest.read_text(), rng))
                said, wrong = disagreements(project, uv, uvenv, temporary)
                tally[f"{kind}: {said}"] += 1
                found += len(wrong)
                for text in wrong:
                    print(f"{repository} {inner}, {kind}: uv says {said}, but {text[:600]}")
    print(f"{sum(tally.values())} verdicts: {dict(sorted(tally.items()))}; {found} disagreements")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

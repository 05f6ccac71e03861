"""Runs the steps of a composite action as GitHub's runner does, in the current directory.

Arguments: the action's file, and its inputs as a JSON object. The standard output is a JSON list of what each step did.
Actions that are used are named, and not run.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

file, inputs = Path(sys.argv[1]), json.loads(sys.argv[2])
action = yaml.safe_load(file.read_text())
unknown = inputs.keys() - action["inputs"].keys()
if unknown:
    sys.exit(f"the action has no input {', '.join(unknown)}")
inputs = {name: str(declared.get("default", "")) for name, declared in action["inputs"].items()} | inputs
temporary = Path(os.environ["RUNNER_TEMP"])
temporary.mkdir(exist_ok=True)
variables = dict(os.environ)
has_failed = False


def value_of(expression: str) -> str:
    """Evaluate one of the expressions that the action may use."""
    expression = expression.strip()
    if found := re.fullmatch(r"inputs\.([\w-]+)", expression):
        return inputs[found[1]]
    if found := re.fullmatch(r"env\.(\w+)", expression):
        return variables.get(found[1], "")
    if re.fullmatch(r"hashFiles\('[^']+'\)", expression):
        return "hash"
    return {"runner.arch": "X64", "runner.os": "Linux", "runner.temp": str(temporary)}[expression]


def filled(text: object) -> str:
    """Replace the expressions in a value."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: value_of(found[1]), str(text))


def is_met(condition: str) -> bool:
    """Evaluate a condition: comparisons and functions, all of which have to hold."""
    parts = [part.strip() for part in condition.split("&&")]
    if not {"always()", "failure()"}.intersection(parts) and has_failed:
        return False
    return all(part_is_met(part) for part in parts)


def part_is_met(part: str) -> bool:
    """Evaluate one part of a condition."""
    if part in {"always()", "success()"}:
        return True
    if part == "failure()":
        return has_failed
    left, operator, right = re.fullmatch(r"(\S+) (==|!=) '([^']*)'", part).groups()
    return (value_of(left) == right) == (operator == "==")


def run(number: int, step: dict) -> dict:
    """Run the script of a step, and take up what it leaves for the next ones."""
    script = temporary / f"{number}.sh"
    script.write_text(step["run"])
    if step["shell"] != "bash":
        sys.exit(f"a step runs in {step['shell']}")
    files = {name: temporary / f"{name}-{number}" for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT")}
    for path in files.values():
        path.touch()
    directory = filled(step.get("working-directory", "."))
    own = {name: filled(text) for name, text in step.get("env", {}).items()}
    said = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
        cwd=directory,
        env=variables | own | {name: str(path) for name, path in files.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    variables.update(line.split("=", 1) for line in files["GITHUB_ENV"].read_text().splitlines())
    for directory in files["GITHUB_PATH"].read_text().splitlines():
        variables["PATH"] = f"{directory}{os.pathsep}{variables['PATH']}"
    return {"status": said.returncode, "stdout": said.stdout, "stderr": said.stderr}


done = []
for number, step in enumerate(action["runs"]["steps"]):
    if not is_met(step.get("if", "success()")):
        continue
    if "uses" in step:
        outcome = {"uses": step["uses"], "with": {name: filled(text) for name, text in step["with"].items()}}
    else:
        outcome = run(number, step)
        has_failed |= outcome["status"] != 0
    done.append({"name": step["name"]} | outcome)
print(json.dumps(done))

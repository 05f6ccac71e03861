"""Prints what a build backend requires to build the wheel of a project, beyond its `requires`, as JSON (PEP 517)."""

import contextlib
import importlib
import json
import os
import sys
from pathlib import Path

project, backend, *backend_path = sys.argv[1:]
os.chdir(project)
sys.path[:0] = [str(Path(project, directory)) for directory in backend_path]
module, _, attributes = backend.partition(":")
# What a build prints is not the answer.
with contextlib.redirect_stdout(sys.stderr):
    found = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        found = getattr(found, attribute)
    hook = getattr(found, "get_requires_for_build_wheel", None)
    requires = hook({}) if hook is not None else []
json.dump(list(requires), sys.stdout)

"""Prints which artifact of each package of a PEP 751 lock the running interpreter would install, as JSON."""

import json
import platform
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import tomli
from packaging.pylock import Pylock, PylockSelectError, PylockUnsupportedVersionError, PylockValidationError

document = tomli.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
for package in document["packages"]:
    for file in [*package.get("wheels", ()), *(package[kind] for kind in ("sdist", "archive") if kind in package)]:
        # uv 0.7 exports files without hashes, if the index has none, and the specification requires one.
        file["hashes"] = file.get("hashes") or {"unknown": "-"}
lock = Pylock.from_dict(document)
selected = []
try:
    for package, artifact in lock.select():
        kind = type(artifact).__name__.removeprefix("Package").lower()
        facts = {
            "index": next(index for index, other in enumerate(lock.packages) if other is package),
            "name": package.name,
            "kind": kind,
            "url": getattr(artifact, "url", None),
            "path": getattr(artifact, "path", None),
            "size": getattr(artifact, "size", None),
        }
        if kind in ("wheel", "sdist", "archive"):
            # The lock can name a file otherwise than its URL does: `pyyaml-….whl` for `PyYAML-….whl`.
            facts["remote_file"] = unquote(urlsplit(artifact.url or artifact.path).path.rsplit("/", 1)[-1])
            facts["file"] = getattr(artifact, "name", None) or facts["remote_file"]
        if kind == "archive":
            facts["kind"] = "wheel" if facts["file"].endswith(".whl") else "sdist"
        if "file" in facts:
            facts["sha256"] = artifact.hashes.get("sha256")
        if kind == "vcs":
            facts["commit"] = artifact.commit_id
            facts["reference"] = artifact.requested_revision
        facts["subdirectory"] = getattr(artifact, "subdirectory", None)
        selected.append(facts)
except (PylockSelectError, PylockUnsupportedVersionError, PylockValidationError) as error:
    json.dump({"error": str(error)}, sys.stdout)
else:
    json.dump({"python": platform.python_version(), "selected": selected}, sys.stdout)

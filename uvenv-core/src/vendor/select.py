"""Prints which artifact of each package of a PEP 751 lock an interpreter would install, as JSON.

    python select.py LOCK [PLATFORM]

The interpreter is the running one; with a platform, by uv's name for it, one of the same version there.
"""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
from pathlib import Path
from urllib.parse import unquote, urlsplit

import tomli
from packaging import markers, tags
from packaging.pylock import Pylock, PylockSelectError, PylockUnsupportedVersionError, PylockValidationError

# The other names of manylinux tags (PEP 600).
LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}

WINDOWS = {"x86_64": ("win_amd64", "AMD64"), "i686": ("win32", "x86"), "aarch64": ("win_arm64", "ARM64")}


def manylinux(name: str) -> tuple[list[str], dict[str, str]] | None:
    """A wheel for an older glibc works with a newer one (PEP 600)."""
    match = re.fullmatch(r"(x86_64|aarch64)-manylinux(?:_2_(\d{1,3})|2014)", name)
    if match is None:
        return None
    arch, minor = match[1], int(match[2] or 17)
    oldest = 5 if arch == "x86_64" else 17
    platforms = []
    for older in range(minor, oldest - 1, -1):
        platforms.append(f"manylinux_2_{older}_{arch}")
        if older in LEGACY:
            platforms.append(f"{LEGACY[older]}_{arch}")
    return [*platforms, f"linux_{arch}"], linux(arch)


def musllinux(name: str) -> tuple[list[str], dict[str, str]] | None:
    """A wheel for an older musl works with a newer one (PEP 656). uv takes 1.2."""
    match = re.fullmatch(r"(x86_64|aarch64)-unknown-linux-musl", name)
    if match is None:
        return None
    arch = match[1]
    return [f"musllinux_1_2_{arch}", f"musllinux_1_1_{arch}", f"musllinux_1_0_{arch}", f"linux_{arch}"], linux(arch)


def linux(arch: str) -> dict[str, str]:
    """The markers of Linux."""
    return {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": arch}


def macos(name: str) -> tuple[list[str], dict[str, str]] | None:
    """The version is that of `MACOSX_DEPLOYMENT_TARGET`, as uv reads it, or else 13.0."""
    match = re.fullmatch(r"(x86_64|aarch64)-apple-darwin", name)
    if match is None:
        return None
    arch = "arm64" if match[1] == "aarch64" else match[1]
    target = re.match(r"(\d+)\.(\d+)", os.environ.get("MACOSX_DEPLOYMENT_TARGET", ""))
    version = (int(target[1]), int(target[2])) if target else (13, 0)
    found = {"os_name": "posix", "sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": arch}
    return list(tags.mac_platforms(version, arch)), found


def windows(name: str) -> tuple[list[str], dict[str, str]] | None:
    """The markers and the tag of Windows."""
    match = re.fullmatch(r"(x86_64|i686|aarch64)-pc-windows-msvc", name)
    if match is None:
        return None
    tag, machine = WINDOWS[match[1]]
    found = {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows", "platform_machine": machine}
    return [tag], found


def elsewhere(name: str) -> dict[str, object]:
    """The arguments that select for another platform."""
    kinds = (kind(name) for kind in (manylinux, musllinux, macos, windows))
    known = next((found for found in kinds if found is not None), None)
    if known is None:
        json.dump({"unknown_platform": name}, sys.stdout)
        sys.exit()
    platforms, found = known
    # uv, too, takes the release of the system for unknown.
    environment = {**markers.default_environment(), **found, "platform_release": "", "platform_version": ""}
    if sys.implementation.name != "cpython":
        problem = f"only CPython can be selected for another platform, not {sys.implementation.name}"
        json.dump({"error": problem}, sys.stdout)
        sys.exit()
    version = sys.version_info[:2]
    own = f"cp{version[0]}{version[1]}"
    abi = own + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "")
    return {
        "environment": environment,
        "tags": [
            *tags.cpython_tags(version, platforms=platforms, abis=[abi]),
            *tags.compatible_tags(version, own, platforms),
        ],
    }


document = tomli.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
for package in document["packages"]:
    for file in [*package.get("wheels", ()), *(package[kind] for kind in ("sdist", "archive") if kind in package)]:
        # uv 0.7 exports files without hashes, if the index has none, and the specification requires one.
        file["hashes"] = file.get("hashes") or {"unknown": "-"}
lock = Pylock.from_dict(document)
selected = []
try:
    for package, artifact in lock.select(**(elsewhere(sys.argv[2]) if sys.argv[2:] else {})):
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
    json.dump({"selected": selected}, sys.stdout)

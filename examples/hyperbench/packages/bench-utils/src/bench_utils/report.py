"""`hyperbench-report`: what the environment that it runs in is made of.

Everything is read from the metadata that the installer left (`METADATA`, `direct_url.json`), so the report says what
is installed, whatever the manifests and lockfiles say.
"""

import json
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from print_utils import format_table

_INTERNAL = "Private :: Do Not Upload"
_CUDA_RUNTIME = "nvidia-cuda-runtime-cu12"


@dataclass(frozen=True, slots=True)
class InternalPackage:
    """An internal package as it is installed."""

    name: str
    version: str
    source: str
    """`git v0.1.2`, `editable /path`, …"""
    commit: str
    """The git commit that it was built from; empty if it came from elsewhere."""

    @classmethod
    def of(cls, distribution: Distribution) -> "InternalPackage":
        """Read the metadata of `distribution`."""
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        return cls(
            name=distribution.metadata["Name"],
            version=distribution.version,
            source=_source(origin),
            commit=origin.get("vcs_info", {}).get("commit_id", ""),
        )


def _source(origin: dict[str, Any]) -> str:
    """Where a package came from, by its `direct_url.json`; never a git URL, which may hold a password."""
    if git := origin.get("vcs_info"):
        return f"git {git.get('requested_revision', '')}".rstrip()
    if (directory := origin.get("dir_info")) is not None:
        path = url2pathname(urlsplit(origin["url"]).path)
        return f"{'editable' if directory.get('editable') else 'directory'} {path}"
    return "archive" if "archive_info" in origin else "index"


def internal_packages(installed: Iterable[Distribution]) -> list[InternalPackage]:
    """The internal packages among `installed`, by name."""
    found: dict[str, InternalPackage] = {}
    for distribution in installed:
        if _INTERNAL in (distribution.metadata.get_all("Classifier") or []):
            package = InternalPackage.of(distribution)
            # The first on the path is the one that Python imports.
            found.setdefault(package.name, package)
    return [found[name] for name in sorted(found)]


def cuda_runtime(installed: Iterable[Distribution]) -> str:
    """The version of the CUDA runtime among `installed`, else `none`."""
    return next(
        (found.version for found in installed if found.metadata["Name"] == _CUDA_RUNTIME),
        "none",
    )


def report(installed: Iterable[Distribution]) -> str:
    """The tables that `hyperbench-report` prints."""
    installed = list(installed)
    packages = format_table(
        ["package", "version", "source", "commit"],
        [
            [package.name, package.version, package.source, package.commit]
            for package in internal_packages(installed)
        ],
    )
    return f"{packages}\n\nCUDA runtime: {cuda_runtime(installed)}"


def main() -> None:
    """Print the report of the running interpreter's environment."""
    print(f"Python {platform.python_version()} in {sys.prefix}\n")
    print(report(distributions()))

"""The installed wheel."""

from __future__ import annotations

import base64
import hashlib
import sys
from importlib import metadata
from pathlib import Path, PurePosixPath

import uvenv

DISTRIBUTION = metadata.distribution("cargo-uvenv")


def test_tests_run_against_the_installed_package() -> None:
    assert Path(uvenv.__file__).is_relative_to(sys.prefix)
    assert sys.prefix != sys.base_prefix


def test_metadata() -> None:
    assert DISTRIBUTION.metadata["Name"] == "cargo-uvenv"
    assert DISTRIBUTION.metadata["Requires-Python"] == ">=3.10"
    assert DISTRIBUTION.version == uvenv.__version__
    assert DISTRIBUTION.metadata["License-Expression"] == "MIT OR Apache-2.0"
    required = {requirement for requirement in DISTRIBUTION.requires or [] if "extra ==" not in requirement}
    assert required == {"uv>=0.7.16", "tqdm"}
    assert DISTRIBUTION.metadata.get_all("Provides-Extra") == ["notebook", "ray"]


def test_entry_point() -> None:
    scripts = {script.name: script.value for script in DISTRIBUTION.entry_points}
    assert scripts == {"cargo-uvenv": "uvenv.__main__:main"}


def files() -> dict[PurePosixPath, metadata.PackagePath]:
    return {PurePosixPath(file): file for file in DISTRIBUTION.files or []}


def test_wheel_has_exactly_the_expected_files() -> None:
    sources = Path(__file__).parents[1] / "uvenv"
    expected = {f"uvenv/{path.name}" for path in sources.iterdir() if path.suffix in {".py", ".pyi", ".typed"}}
    installed = {str(path) for path in files() if path.parts[0] == "uvenv" and "__pycache__" not in path.parts}
    native = {name for name in installed if Path(name).suffix in {".so", ".pyd"}}
    assert installed - native == expected | {"uvenv/py.typed"}
    assert len(native) == 1
    elsewhere = {path.name for path in files() if path.parts[0] != "uvenv"}
    # Written by the installer, not in the wheel.
    elsewhere -= {"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}
    licenses = {"LICENSE-APACHE", "LICENSE-MIT"}
    assert elsewhere == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "cargo-uvenv"} | licenses


def test_files_match_the_record() -> None:
    for file in files().values():
        content = Path(str(file.locate())).read_bytes()
        if file.hash is not None:
            digest = base64.urlsafe_b64encode(hashlib.new(file.hash.mode, content).digest()).rstrip(b"=")
            assert digest.decode() == file.hash.value, file


def test_no_file_contains_the_build_directory() -> None:
    repository = str(Path(__file__).parents[2])
    texts = {".py", ".pyi", ".txt", ".json", ""}
    # An installer records the path of the wheel, and writes the path of Python into scripts.
    installers = {"direct_url.json", "cargo-uvenv"}
    ours = [file for path, file in files().items() if path.suffix in texts and path.name not in installers]
    assert not [file for file in ours if repository in Path(str(file.locate())).read_text(encoding="utf-8")]

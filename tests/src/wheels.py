"""Writes the files of the test indexes, INDEX/NAME-VERSION-TAG.whl and one source distribution, the same every time."""

import base64
import hashlib
import io
import pathlib
import sys
import tarfile
import zipfile


def wheel(directory: pathlib.Path, name: str, version: str, files: dict[str, str], tag: str = "py3-none-any") -> None:
    info = f"{name}-{version}.dist-info"
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: uvenv-tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(directory / f"{name}-{version}-{tag}.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2025, 1, 1, 0, 0, 0)), text)


BACKEND = """
import os, time, zipfile

def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "source_only-1.0-py3-none-any.whl"
    date = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))[:6]
    info = "source_only-1.0.dist-info"
    about = "Wheel-Version: 1.0\\nGenerator: source_only\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files = {
        "source_only.py": "",
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: source_only\\nVersion: 1.0\\n",
        f"{info}/WHEEL": about,
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, date), text)
    return name
"""

PROJECT = """
[project]
name = "source_only"
version = "1.0"
requires-python = ">=3.9"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def sdist(directory: pathlib.Path) -> None:
    about = "Metadata-Version: 2.2\nName: source_only\nVersion: 1.0\nRequires-Python: >=3.9\n"
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(directory / "source_only-1.0.tar.gz", "w:gz") as archive:
        for path, text in {"pyproject.toml": PROJECT, "backend.py": BACKEND, "PKG-INFO": about}.items():
            entry = tarfile.TarInfo(f"source_only-1.0/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))


def modules(package: str, count: int) -> dict[str, str]:
    return {f"{package}/part_{number:04}.py": f"NUMBER = {number}\n" for number in range(count)}


for backend, cuda in [("cu124", "12.4"), ("cu128", "12.8")]:
    files = modules("torch", 20)
    files["torch/__init__.py"] = f'__version__ = "2.6.0+{backend}"\n'
    files["torch/version.py"] = f'cuda = "{cuda}"\n'
    files[f"torch/only_{backend}.py"] = ""
    wheel(pathlib.Path(sys.argv[1]) / backend, "torch", f"2.6.0+{backend}", files)

# Small, in several versions.
for name in ("alpha_lib", "beta_lib", "gamma_lib"):
    for version in ("1.0", "1.1", "2.0"):
        wheel(
            pathlib.Path(sys.argv[1]) / "small", name, version, {f"{name}/__init__.py": f'__version__ = "{version}"\n'}
        )

# So many modules that an installation takes long enough to be interrupted.
wheel(pathlib.Path(sys.argv[1]) / "large", "large", "1.0", modules("large", 3000))

# For certain Pythons and platforms, and for none.
native = pathlib.Path(sys.argv[1]) / "native"
for tag in (
    *(f"cp3{minor}-cp3{minor}-manylinux_2_17_{machine}" for minor in (12, 13) for machine in ("x86_64", "aarch64")),
    "cp312-cp312-macosx_11_0_arm64",
    "cp312-cp312-win_amd64",
):
    wheel(native, "native_lib", "1.0", {"native_lib/__init__.py": f"TAG = '{tag}'\n"}, tag)
sdist(native)

wheel(pathlib.Path(sys.argv[1]) / "private", "alpha_lib", "1.0", {"alpha_lib/__init__.py": ""})

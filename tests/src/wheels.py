"""Writes the wheels of the test index, INDEX/NAME-VERSION-py3-none-any.whl, the same bytes every time."""

import base64
import hashlib
import pathlib
import sys
import zipfile


def wheel(directory: pathlib.Path, name: str, version: str, files: dict[str, str]) -> None:
    info = f"{name}-{version}.dist-info"
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: uvenv-tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(directory / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2025, 1, 1, 0, 0, 0)), text)


def modules(package: str, count: int) -> dict[str, str]:
    return {f"{package}/part_{number:04}.py": f"NUMBER = {number}\n" for number in range(count)}


for backend, cuda in [("cu124", "12.4"), ("cu128", "12.8")]:
    files = modules("torch", 20)
    files["torch/__init__.py"] = f'__version__ = "2.6.0+{backend}"\n'
    files["torch/version.py"] = f'cuda = "{cuda}"\n'
    files[f"torch/only_{backend}.py"] = ""
    wheel(pathlib.Path(sys.argv[1]) / backend, "torch", f"2.6.0+{backend}", files)

# Small, in several versions, and the same in another index.
for index in ("small", "other"):
    for name in ("alpha_lib", "beta_lib", "gamma_lib"):
        for version in ("1.0", "1.1", "2.0"):
            files = {f"{name}/__init__.py": f'__version__ = "{version}"\n'}
            wheel(pathlib.Path(sys.argv[1]) / index, name, version, files)

# So many modules that an installation takes long enough to be interrupted.
wheel(pathlib.Path(sys.argv[1]) / "large", "large", "1.0", modules("large", 3000))

"""Copies the running interpreter and its standard library, without what is installed in it, to a directory."""

import pathlib
import shutil
import sys
import sysconfig

destination = pathlib.Path(sys.argv[1])
left_out = shutil.ignore_patterns(
    "site-packages", "dist-packages", "test", "idlelib", "__pycache__", "EXTERNALLY-MANAGED"
)
for key in ("stdlib", "platstdlib"):
    library = pathlib.Path(sysconfig.get_path(key))
    relative = library.relative_to(sys.base_prefix)
    shutil.copytree(library, destination / relative, symlinks=False, ignore=left_out, dirs_exist_ok=True)
    (destination / relative / "site-packages").mkdir(exist_ok=True)
(destination / "bin").mkdir()
shutil.copy2(pathlib.Path(sys._base_executable).resolve(), destination / "bin" / "python3")
shared = pathlib.Path(sysconfig.get_config_var("LIBDIR") or "", sysconfig.get_config_var("INSTSONAME") or "")
if shared.suffix != ".a" and shared.is_file():
    shutil.copy2(shared, destination / "lib" / shared.name)

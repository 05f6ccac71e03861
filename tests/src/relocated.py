"""Copies the running interpreter to a directory, with a compiled-in prefix that does not exist.

The interpreters that uv installs are so: they were built for `/install`, and only what is written in text files was put
right since.
"""

import pathlib
import shutil
import sys
import sysconfig

source = pathlib.Path(sys.base_prefix)
copy, home = map(pathlib.Path, sys.argv[1:])  # where it is made, and where it will be
built_for = sysconfig.get_config_var("prefix").encode()
# Compilers share the ends of strings, so the new one is as long and ends alike.
head, _, tail = built_for.rpartition(b"/")
hidden = b"/install".ljust(len(head), b"-")[: len(head)] + b"/" + tail


def replaced(binary: bytes) -> bytes:
    text, position = bytearray(binary), 0
    while (position := binary.find(built_for, position)) >= 0:
        end = binary.index(b"\0", position)
        old = binary[position:end]
        new = b"$ORIGIN/../lib" if old == built_for + b"/lib" else hidden + old[len(built_for) :]
        text[position:end] = new.ljust(len(old), b"\0")
        position = end
    return bytes(text)


version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
left_out = shutil.ignore_patterns("site-packages", "test", "idlelib", "__pycache__", "config-*", "EXTERNALLY-MANAGED")
shutil.copytree(source / "lib" / version, copy / "lib" / version, ignore=left_out)
(copy / "lib" / version / "site-packages").mkdir()
(copy / "bin").mkdir()
(copy / "bin" / "python3").symlink_to(version)
for binary in [source / "bin" / version, *(source / "lib").glob(f"lib{version}.so*")]:
    target = copy / binary.parent.name / binary.name
    if binary.is_symlink() and binary.parent.name == "lib":
        target.symlink_to(binary.readlink())
    else:
        target.write_bytes(replaced(binary.read_bytes()))
        target.chmod(0o755)
for text in (copy / "lib" / version).glob("_sysconfigdata*.py"):
    text.write_text(text.read_text().replace(built_for.decode(), str(home)))

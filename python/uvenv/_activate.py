"""Makes the packages of an environment importable in the running interpreter."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.metadata
import os
import site
import sys
import sysconfig
import threading
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from uvenv._reports import ImportReport, Variable

_EDITABLE = "__editable__"
"""The prefix of the modules that setuptools writes for editable installs: finders that `.pth` files start."""

_LIBRARY_PATHS = {"LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"}
"""The dynamic loader reads these only when the process starts."""

_LOCK = threading.Lock()


class ActivationWarning(UserWarning):
    """Modules were imported from elsewhere before `activate`, and do not change until the interpreter restarts."""


def running_python() -> dict[str, Any]:
    """Returns what an environment must be compatible with, in the form that the native part expects."""
    return {
        "implementation": sys.implementation.name,
        "version": list(sys.version_info[:3]),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    }


def apply(report: ImportReport, stacklevel: int = 2) -> None:
    """Makes the packages of a report importable, instead of those that were activated before.

    Args:
        report: Where the packages are, and the variables.
        stacklevel: The stack level for warnings.
    """
    global _active  # noqa: PLW0603 - there is one interpreter
    with _LOCK:
        if _active is not None:
            _active.undo()
            _active = None
        # What runs in the environment has all of it.
        if not _same(Path(sys.prefix), report.environment):
            _active = _Activation()
            _active.do(report)
        importlib.invalidate_caches()
        stale = list(_stale_modules(_active))
    if stale:
        message = (
            "already imported from elsewhere; restart the kernel to import them from "
            f"{report.environment}: {', '.join(stale)}"
        )
        warnings.warn(message, ActivationWarning, stacklevel=stacklevel + 1)


@dataclass
class _Activation:
    """The changes to this interpreter, so that they can be undone."""

    paths: list[str] = field(default_factory=list[str])
    finders: list[Any] = field(default_factory=list[Any])
    hooks: list[Any] = field(default_factory=list[Any])
    modules: dict[str, ModuleType] = field(default_factory=dict[str, Any])
    """The finders of editable installs that existed before."""
    variables: dict[str, tuple[str | None, str | None]] = field(
        default_factory=dict[str, tuple[str | None, str | None]]
    )
    """The values before and after, by name."""
    programs: list[str] = field(default_factory=list[str])
    """The directories that were prepended to `PATH`."""

    def do(self, report: ImportReport) -> None:
        """Changes the interpreter."""
        self._read_site(report.site_packages)
        for variable in report.variables:
            self._change(variable)

    def undo(self) -> None:
        """Undoes the changes, except those that were changed again since."""
        for path in self.paths:
            if path in sys.path:
                sys.path.remove(path)
        _remove(sys.meta_path, self.finders)
        _remove(sys.path_hooks, self.hooks)
        for name in [name for name in sys.modules if name.startswith(_EDITABLE)]:
            del sys.modules[name]
        sys.modules.update(self.modules)
        for path in self.paths:
            sys.path_importer_cache.pop(path, None)
        self._restore_variables()

    def _read_site(self, directories: Iterable[Path]) -> None:
        """Lets `site` process the directories and their `.pth` files, and moves what it adds to the right place."""
        sites = [str(directory) for directory in directories]
        self.modules = {name: module for name, module in sys.modules.items() if name.startswith(_EDITABLE)}
        for name in self.modules:
            del sys.modules[name]
        finders, hooks = list(sys.meta_path), list(sys.path_hooks)
        before = list(sys.path)
        # First, since a `.pth` file may import a module which lies beside it, and which we might have as well.
        sys.path[:0] = sites
        try:
            for directory in sites:
                site.addsitedir(directory, known_paths=set())
        finally:
            added = _without(sys.path, [*sites, *before])
            sys.path[:] = before
        self.paths = list(dict.fromkeys(added))
        place = _first_site(before)
        sys.path[place:place] = self.paths
        self.hooks = [hook for hook in sys.path_hooks if not _among(hook, hooks)]
        # They are asked after all of `sys.path`; but the environment comes before what we have ourselves.
        self.finders = [finder for finder in sys.meta_path if not _among(finder, finders)]
        _remove(sys.meta_path, self.finders)
        place = next(
            (at for at, finder in enumerate(sys.meta_path) if finder is importlib.machinery.PathFinder),
            len(sys.meta_path),
        )
        sys.meta_path[place:place] = self.finders

    def _change(self, variable: Variable) -> None:
        name = variable.name
        if name in _LIBRARY_PATHS:
            return
        if variable.change == "prepend":
            self.programs = [str(directory) for directory in variable.directories]
            rest = os.environ.get(name, "").split(os.pathsep)
            os.environ[name] = os.pathsep.join([*self.programs, *filter(None, rest)])
            return
        value = variable.value if variable.change == "set" else None
        self.variables[name] = (os.environ.get(name), value)
        _set(name, value)

    def _restore_variables(self) -> None:
        rest = os.environ.get("PATH", "").split(os.pathsep)
        os.environ["PATH"] = os.pathsep.join(_without(rest, self.programs))
        for name, (before, after) in self.variables.items():
            if os.environ.get(name) == after:
                _set(name, before)


_active: _Activation | None = None


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _first_site(paths: list[str]) -> int:
    """Returns the index in `paths` at which the running interpreter's own packages begin."""
    own = {os.path.realpath(path) for path in (*site.getsitepackages(), site.getusersitepackages())}
    own |= {os.path.realpath(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    # The empty path is the current directory, which is no place of packages.
    return next((at for at, path in enumerate(paths) if path and os.path.realpath(path) in own), len(paths))


def _without(paths: Iterable[str], others: Iterable[str]) -> list[str]:
    """Returns `paths` without the first occurrence of each of `others`."""
    count = Counter(others)
    kept: list[str] = []
    for path in paths:
        if count[path] > 0:
            count[path] -= 1
        else:
            kept.append(path)
    return kept


def _among(one: object, others: list[Any]) -> bool:
    # Finders may be equal without being the same.
    return any(one is other for other in others)


def _remove(items: list[Any], gone: list[Any]) -> None:
    items[:] = [item for item in items if not _among(item, gone)]


def _stale_modules(active: _Activation | None) -> Iterator[str]:
    """Yields the imported modules that would now come from elsewhere, with their versions if these differ."""
    if active is None:
        return
    loaded = {
        name: module
        for name, module in list(sys.modules.items())
        if "." not in name and name not in sys.stdlib_module_names and not name.startswith("_")
    }
    found = {name: _origin(active, name) for name in sorted(loaded)}
    stale = [name for name, origin in found.items() if origin is not None and origin not in _places(loaded[name])]
    if not stale:
        return
    owners = _owners(active.paths)
    others = [path for path in sys.path if path not in active.paths]
    for name in stale:
        new = owners.get(name)
        old = None if new is None else next(iter(importlib.metadata.distributions(name=new.name, path=others)), None)
        if new is None or old is None:
            yield name
        elif old.version != new.version:
            yield f"{name} {old.version} (environment: {new.version})"
        elif old.read_text("direct_url.json") or new.read_text("direct_url.json"):
            yield name
        # The same release of an index is the same code.


def _origin(active: _Activation, name: str) -> str | None:
    """Returns the file from which the environment would import a module."""
    finders: list[Any] = [importlib.machinery.PathFinder, *active.finders]
    specs: Iterator[ModuleSpec | None] = (finder.find_spec(name, active.paths) for finder in finders)
    spec = next((spec for spec in specs if spec is not None), None)
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    return os.path.realpath(spec.origin)


def _places(module: ModuleType) -> set[str]:
    file = getattr(module, "__file__", None)
    return set() if file is None else {os.path.realpath(file)}


def _owners(paths: list[str]) -> dict[str, importlib.metadata.Distribution]:
    """Returns the distributions that installed the modules of some directories, by module."""
    owners: dict[str, importlib.metadata.Distribution] = {}
    for distribution in importlib.metadata.distributions(path=paths):
        for file in distribution.files or ():
            first = file.parts[0]
            name = first if len(file.parts) > 1 else first.partition(".")[0]
            owners.setdefault(name, distribution)
    return owners

"""The reports that functions return, with the same fields as the JSON messages of the command line."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from typing_extensions import Self

_OPTIONAL = {"omit": True}


class Value:
    """The base class of reports and their parts."""

    _reason: ClassVar[str | None] = None
    _key: ClassVar[str | None] = None

    def to_dict(self) -> dict[str, Any]:
        """Returns what the command line prints with `--message-format json`.

        Returns:
            Dicts, lists, strings, numbers and `None`, with paths as strings.

        Example:
            >>> uvenv.status().to_dict()["profiles"][0]["profile"]
            'dev'
        """
        plain: dict[str, Any] = {} if self._reason is None else {"reason": self._reason}
        for one in dataclasses.fields(cast("Any", self)):
            value = getattr(self, one.name)
            if value is not None or not one.metadata.get("omit"):
                plain[_json_name(one.name)] = _plain(value)
        return plain if self._key is None else {self._key: plain}

    def _repr_html_(self) -> str | None:
        return next((render(self) for render in RENDERERS), None)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """Creates a report from what `to_dict` returns.

        Args:
            plain: What `to_dict` returns, or a JSON message of the command line. Unknown fields, which a later version
                may add, are ignored.

        Returns:
            An equal report.

        Example:
            >>> report = uvenv.status()
            >>> uvenv.StatusReport.from_dict(report.to_dict()) == report
            True
        """
        if cls._key is not None:
            plain = plain[cls._key]
        readers = _readers(cls)
        names = ((name, _json_name(name)) for name in readers)
        report = cls(**{name: readers[name](plain[json]) for name, json in names if json in plain})
        # Some are messages of several kinds, and parts of others as well.
        if cls._reason is None and "reason" in plain and "reason" not in readers:
            report.__dict__["_reason"] = plain["reason"]
        return report


RENDERERS: list[Callable[[Value], str | None]] = []
"""What renders reports for notebooks, if anything does."""


def _json_name(name: str) -> str:
    # A keyword of Python cannot be a field.
    return name.rstrip("_")


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(one) for one in cast("tuple[object, ...]", value)]
    return str(value) if isinstance(value, Path) else value


_READERS: dict[type[Value], dict[str, Callable[[Any], Any]]] = {}


def _readers(cls: type[Value]) -> dict[str, Callable[[Any], Any]]:
    """Returns the functions that read the fields of a class from JSON."""
    if cls not in _READERS:
        hints = typing.get_type_hints(cls)
        _READERS[cls] = {one.name: _reader(hints[one.name]) for one in dataclasses.fields(cast("Any", cls))}
    return _READERS[cls]


def _reader(hint: Any) -> Callable[[Any], Any]:
    """Returns the function that reads a value of a type from JSON."""
    if hint is Path:
        return Path
    if isinstance(hint, type) and issubclass(hint, Value):
        return hint.from_dict
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        read = _reader(arguments[0])
        return lambda values: tuple(map(read, values))
    if typing.get_origin(hint) not in {typing.Union, types.UnionType}:
        return lambda value: value
    if type(None) in arguments:
        (one,) = (one for one in arguments if one is not type(None))
        read = _reader(one)
        return lambda value: None if value is None else read(value)
    return lambda value: next(one for one in arguments if one.is_of(value)).from_dict(value)


class _Text(Value):
    """A report that the command line prints as text."""

    _text: str

    def with_text(self, text: str) -> Self:
        """Stores the text that the command line prints."""
        self.__dict__["_text"] = text.rstrip("\n")
        return self

    def __repr__(self) -> str:
        return self.__dict__.get("_text") or f"{type(self).__name__}({self.to_dict()!r})"


@dataclass(frozen=True, kw_only=True)
class UvInfo(Value):
    """The uv that was used.

    Attributes:
        path: The executable.
        version: Its version.
    """

    path: Path
    version: str


@dataclass(frozen=True, kw_only=True)
class PythonInfo(Value):
    """The Python of an environment.

    Attributes:
        path: The executable in the environment.
        version: Its version: `3.11.7`.
    """

    path: Path
    version: str


@dataclass(frozen=True, kw_only=True)
class Problem(Value):
    """An error in a report.

    Attributes:
        code: The stable code.
        message: One sentence.
        help: How to fix it.
        file: The file that caused it.
        line: The line in it, from 1.
        column: The column in it, in characters, from 1.
    """

    code: str
    message: str
    help: str | None
    file: Path | None
    line: int | None
    column: int | None


@dataclass(frozen=True, kw_only=True)
class LockedChange(Value):
    """A package whose locked version changed.

    Attributes:
        name: The package.
        from_: The versions before, empty for a new package; `from` in JSON. For a package from git: its tag, branch or
            revision, and its commit.
        to: The versions now, empty for a removed package.
    """

    name: str
    from_: tuple[str, ...]
    to: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LockReport(Value):
    """The result of `lock`.

    Attributes:
        profile: The profile.
        lockfile: The lockfile.
        changed: Whether its content changed.
        dry_run: Whether it was a dry run, which writes nothing.
        packages: The packages whose locked versions changed.
        uv: The uv that was used.
        elapsed_ms: How long it took, in milliseconds.
    """

    _reason = "lock-finished"
    profile: Literal["dev", "staging", "prod"]
    lockfile: Path
    changed: bool
    dry_run: bool
    packages: tuple[LockedChange, ...]
    uv: UvInfo
    elapsed_ms: int


@dataclass(frozen=True, kw_only=True)
class Rebuilt(Value):
    """A native package that was rebuilt or would be rebuilt.

    Attributes:
        name: The package.
        cause: Why: `crates/kernels/src/lib.rs has changed`.
    """

    name: str
    cause: str


@dataclass(frozen=True, kw_only=True)
class SyncPlanned(Value):
    """What a sync would change.

    Attributes:
        profile: The profile.
        backend: The backend, or `None`.
        backend_origin: What selected the backend.
        environment: The environment.
        recreate: Whether the environment would be removed first.
        rebuild: The native packages that would be rebuilt.
        command: The uv command, as you would type it.
    """

    _reason = "sync-planned"
    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    backend_origin: str
    environment: Path
    recreate: bool
    rebuild: tuple[Rebuilt, ...]
    command: str


class _Source(Value):
    @classmethod
    def is_of(cls, plain: dict[str, Any]) -> bool:
        """Returns whether JSON is of this kind."""
        return bool(plain["kind"] == cls.__dict__["kind"])


@dataclass(frozen=True, kw_only=True)
class RegistrySource(_Source):
    """From a package index or a directory of wheels.

    Attributes:
        kind: `registry`.
    """

    kind: Literal["registry"] = "registry"


@dataclass(frozen=True, kw_only=True)
class GitSource(_Source):
    """From a git repository.

    Attributes:
        kind: `git`.
        url: The repository, without secrets.
        commit: The installed commit.
        requested: The tag, branch or commit that was requested.
        subdirectory: The package's directory in the repository.
    """

    kind: Literal["git"] = "git"
    url: str
    commit: str
    requested: str | None = field(default=None, metadata=_OPTIONAL)
    subdirectory: str | None = field(default=None, metadata=_OPTIONAL)


@dataclass(frozen=True, kw_only=True)
class EditableSource(_Source):
    """From a directory, installed as editable.

    Attributes:
        kind: `editable`.
        path: The directory.
    """

    kind: Literal["editable"] = "editable"
    path: Path


@dataclass(frozen=True, kw_only=True)
class DirectorySource(_Source):
    """From a directory, installed as a copy.

    Attributes:
        kind: `directory`.
        path: The directory.
    """

    kind: Literal["directory"] = "directory"
    path: Path


@dataclass(frozen=True, kw_only=True)
class ArchiveSource(_Source):
    """From an archive.

    Attributes:
        kind: `archive`.
        url: Its URL, which begins with `file:` if it is on this machine.
    """

    kind: Literal["archive"] = "archive"
    url: str


@dataclass(frozen=True, kw_only=True)
class UnknownSource(_Source):
    """From an unknown source.

    Attributes:
        kind: `unknown`.
    """

    kind: Literal["unknown"] = "unknown"


Source: TypeAlias = RegistrySource | GitSource | EditableSource | DirectorySource | ArchiveSource | UnknownSource
"""Where a distribution was installed from; `kind` tells the sources apart."""


@dataclass(frozen=True, kw_only=True)
class Distribution(Value):
    """A distribution that is or was installed.

    Attributes:
        name: Its normalized name.
        version: Its version.
        source: The source that it was installed from.
    """

    name: str
    version: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class SyncReport(Value):
    """The result of `sync`.

    Attributes:
        profile: The profile.
        backend: The backend, or `None`.
        backend_origin: What selected the backend.
        environment: The environment.
        python: Its Python.
        changed: Whether a distribution was installed or removed.
        installed: The distributions that were installed.
        removed: The distributions that were removed.
        rebuilt: The native packages that were rebuilt, because their sources or build settings changed.
        uv: The uv that was used.
        uv_invoked: Whether uv was started. It is not if an earlier sync shows that the environment is up to date.
        elapsed_ms: How long it took, in milliseconds.
    """

    _reason = "sync-finished"
    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    backend_origin: str
    environment: Path
    python: PythonInfo | None
    changed: bool
    installed: tuple[Distribution, ...]
    removed: tuple[Distribution, ...]
    rebuilt: tuple[Rebuilt, ...]
    uv: UvInfo
    uv_invoked: bool
    elapsed_ms: int


@dataclass(frozen=True, kw_only=True)
class Variable(Value):
    """An environment variable that must be changed for programs.

    Attributes:
        name: Its name.
        change: How it is changed.
        directories: The directories to prepend; empty for the other changes.
        value: Its value after the change, starting from the variables of this process.
    """

    name: str
    change: Literal["set", "prepend", "unset"]
    directories: tuple[Path, ...]
    value: str | None


@dataclass(frozen=True, kw_only=True)
class CargoConfig(Value):
    """Cargo's configuration.

    Attributes:
        path: The file.
        changed: Whether its content changed.
    """

    path: Path
    changed: bool


@dataclass(frozen=True, kw_only=True)
class EnvReport(Value):
    """The variables that make programs use an environment.

    Attributes:
        profile: The profile.
        backend: The backend of the environment's last sync.
        environment: The environment.
        python: The interpreter from which the environment was created.
        variables: The variables to change.
        cargo_config: Cargo's configuration, if writing it was requested.
    """

    _reason = "environment"
    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    environment: Path
    python: PythonInfo
    variables: tuple[Variable, ...]
    cargo_config: CargoConfig | None


@dataclass(frozen=True, kw_only=True)
class ImportReport(Value):
    """Where the packages of an environment are imported from.

    Attributes:
        profile: The profile.
        backend: The backend of the environment's last sync.
        environment: The environment.
        python: The interpreter from which the environment was created.
        site_packages: The directories of its packages.
        variables: The variables to change.
    """

    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    environment: Path
    python: PythonInfo
    site_packages: tuple[Path, ...]
    variables: tuple[Variable, ...]


@dataclass(frozen=True, kw_only=True)
class KernelReport(Value):
    """A Jupyter kernel that starts in a profile's environment.

    Attributes:
        name: Its name, for the `--kernel` option of `jupyter`.
        display_name: The name that Jupyter shows.
        path: The directory of its kernelspec.
        root: The monorepo's root.
        profile: The profile.
        backend: The backend, or `None`.
        command: The command that Jupyter starts.
        state: Whether it can start: `ready`, or `no-monorepo` if its monorepo was removed or moved.
    """

    name: str
    display_name: str
    path: Path
    root: Path
    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    command: tuple[str, ...]
    state: Literal["ready", "no-monorepo"]


@dataclass(frozen=True, kw_only=True, repr=False)
class KernelsReport(_Text):
    """The Jupyter kernels that uvenv has installed, shown as the table that the command line prints.

    Attributes:
        kernels: The kernels, in the order in which Jupyter finds them.
    """

    _reason = "kernels"
    kernels: tuple[KernelReport, ...]


@dataclass(frozen=True, kw_only=True)
class LockfileStatus(Value):
    """The state of a lockfile.

    Attributes:
        path: The lockfile.
        state: `fresh` if it satisfies the manifest, `stale` if it does not, `missing`, `unreadable`, or
            `unknown` if uv cannot tell.
        reasons: Why it is stale or cannot be read.
    """

    path: Path
    state: Literal["fresh", "stale", "missing", "unreadable", "unknown"]
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EnvironmentStatus(Value):
    """The state of an environment.

    Attributes:
        path: The environment.
        state: Whether it matches the lockfile and the options of its last sync. `unknown` if that cannot be determined;
            `broken` if it is damaged or its path holds something else.
        python: Its Python.
        recorded: Whether uvenv did the last sync, so that the backend is known.
        backend: The backend of its last sync.
        detail: More about the state.
        uv_asked_because: Why uv had to determine the state, if the record of an earlier sync is out of date.
    """

    path: Path
    state: Literal["in-sync", "out-of-sync", "unknown", "missing", "broken"]
    python: PythonInfo | None
    recorded: bool
    backend: str | None
    detail: str | None
    uv_asked_because: str | None


@dataclass(frozen=True, kw_only=True)
class ProfileStatus(Value):
    """The state of one profile.

    Attributes:
        profile: The profile.
        manifest: Its manifest.
        backends: Its backends.
        lockfile: Its lockfile.
        environments: Its environment; with one environment per backend, each that exists.
        error: Why the profile could not be examined.
    """

    profile: Literal["dev", "staging", "prod"]
    manifest: Path
    backends: tuple[str, ...]
    lockfile: LockfileStatus
    environments: tuple[EnvironmentStatus, ...]
    error: Problem | None


@dataclass(frozen=True, kw_only=True)
class PackageOrigin(Value):
    """Where an internal package comes from in a profile.

    Attributes:
        profile: The profile.
        version: The version of a workspace member.
        reference: Its tag, branch or revision in the manifest: `v0.1.2`.
        commit: The commit in the lockfile, if the lockfile has this pin.
    """

    profile: Literal["dev", "staging", "prod"]
    version: str | None
    reference: str | None
    commit: str | None


@dataclass(frozen=True, kw_only=True)
class PackageStatus(Value):
    """Where an internal package comes from in each profile.

    Attributes:
        name: The package.
        profiles: Its origin in each profile that has it.
    """

    name: str
    profiles: tuple[PackageOrigin, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class StatusReport(_Text):
    """The state of the profiles, shown as the table of the command line or, in a notebook, as an HTML table.

    Attributes:
        root: The monorepo's root.
        profiles: The existing profiles.
        packages: The internal packages.
    """

    _reason = "status"
    root: Path
    profiles: tuple[ProfileStatus, ...]
    packages: tuple[PackageStatus, ...]


@dataclass(frozen=True, kw_only=True)
class BackendInfo(Value):
    """A backend.

    Attributes:
        name: Its name.
        kind: Whether it is an `extra` or a `group`.
        cuda: The CUDA release of its packages: `12.4`.
        features: The Cargo features that select it: `crate/feature`.
    """

    name: str
    kind: str
    cuda: str | None
    features: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ProfileBackends(Value):
    """The backends of a profile.

    Attributes:
        profile: The profile.
        backends: Its backends.
    """

    profile: Literal["dev", "staging", "prod"]
    backends: tuple[BackendInfo, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class BackendsReport(_Text):
    """The backends of the profiles, shown as the table that the command line prints.

    Attributes:
        profiles: The existing profiles.
        features_unknown: Why the Cargo features are unknown, if they are.
    """

    _reason = "backends"
    profiles: tuple[ProfileBackends, ...]
    features_unknown: str | None


class _Detection(Value):
    @classmethod
    def is_of(cls, plain: dict[str, Any]) -> bool:
        """Returns whether JSON is of this kind."""
        return cls._key in plain


@dataclass(frozen=True, kw_only=True)
class Driver(_Detection):
    """The NVIDIA driver of this machine.

    Attributes:
        version: The driver's version: `550.54.15`.
        cuda: The newest CUDA release that it supports: `12.4`.
        gpus: The names of the GPUs.
    """

    _key = "driver"
    version: str
    cuda: str
    gpus: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NoDriver(_Detection):
    """There is no NVIDIA driver, or it does not answer.

    Attributes:
        reason: Why.
    """

    _key = "none"
    reason: str


@dataclass(frozen=True, kw_only=True)
class AutoChoice(Value):
    """What `auto` would choose for a profile.

    Attributes:
        profile: The profile.
        backend: The backend; `None` if no backend fits.
        explanation: Why.
    """

    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    explanation: str


@dataclass(frozen=True, kw_only=True, repr=False)
class DetectionReport(_Text):
    """What was found out about the GPU driver, shown as the command line prints it.

    Attributes:
        detected: The driver, or why there is none.
        auto: What `auto` would choose for each profile.
    """

    _reason = "backend-detected"
    detected: Driver | NoDriver
    auto: tuple[AutoChoice, ...]


@dataclass(frozen=True, kw_only=True)
class RelatedPlace(Value):
    """A line that is relevant to a finding.

    Attributes:
        message: Why it is relevant, in a few words.
        file: The file.
        line: The line in it, from 1.
        column: The column in it, in characters, from 1.
    """

    message: str
    file: Path
    line: int
    column: int


@dataclass(frozen=True, kw_only=True)
class Finding(Value):
    """A problem that a check found.

    Attributes:
        severity: How serious it is: an `error` makes the check fail, a `warning` should be fixed, an `info` needs no
            action.
        code: The stable code, such as `dev-tag-in-prod`; `docs/check.md` explains each.
        message: One sentence.
        help: How to fix it.
        profile: The affected profile.
        package: The affected package.
        file: The file that caused it.
        line: The line in it, from 1.
        column: The column in it, in characters, from 1.
        related: Other relevant lines.
        fixable: Whether `fix` can fix it.
    """

    severity: Literal["info", "warning", "error"]
    code: str
    message: str
    help: str | None
    profile: Literal["dev", "staging", "prod"] | None
    package: str | None
    file: Path | None
    line: int | None
    column: int | None
    related: tuple[RelatedPlace, ...]
    fixable: bool


@dataclass(frozen=True, kw_only=True)
class FileChange(Value):
    """A file that was or would be changed.

    Attributes:
        file: The file.
        diff: The change as a unified diff.
    """

    file: Path
    diff: str


@dataclass(frozen=True, kw_only=True, repr=False)
class CheckReport(_Text):
    """The result of a check, shown as the command line prints it or, in a notebook, as a table.

    Attributes:
        root: The monorepo's root.
        profiles: The profiles that were checked.
        remote: Whether git remotes were contacted.
        findings: The findings that remain.
        errors: How many of them are errors.
        warnings: How many of them are warnings.
        infos: How many of them are for information only.
        fixed: The findings that `fix` fixed; with `dry_run`, those that it would fix, which are also in `findings`.
        changes: The files that `fix` changed or would change.
        dry_run: Whether it was a dry run, which writes nothing.
    """

    _reason = "check-finished"
    root: Path
    profiles: tuple[Literal["dev", "staging", "prod"], ...]
    remote: bool
    findings: tuple[Finding, ...]
    errors: int
    warnings: int
    infos: int
    fixed: tuple[Finding, ...]
    changes: tuple[FileChange, ...]
    dry_run: bool


@dataclass(frozen=True, kw_only=True)
class PinnedRelease(Value):
    """A tag and its commit.

    Attributes:
        reference: The tag, or the branch or revision.
        version: The version in its name, if there is one.
        commit: The commit, if it is known.
    """

    reference: str
    version: str | None
    commit: str | None


@dataclass(frozen=True, kw_only=True)
class CommitSummary(Value):
    """A commit.

    Attributes:
        commit: Its hash.
        subject: The first line of its message.
    """

    commit: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class CommitsBetween(Value):
    """The commits between two tags.

    Attributes:
        count: How many there are.
        newest: The newest of them, newest first.
    """

    count: int
    newest: tuple[CommitSummary, ...]


@dataclass(frozen=True, kw_only=True)
class PromotedPackage(Value):
    """The outcome for one package.

    Attributes:
        name: The package.
        url: Its git repository, without secrets; `None` if it is unknown.
        outcome: What happened to its pin: it moved to a newer tag (`updated`) or to a requested older one
            (`downgraded`), is new in the profile (`added`), is already the newest matching tag (`unchanged`), or is
            newer than that and stays (`newer`). Or there is no matching tag (`no-release`), or the git repository is
            unknown (`no-repository`).
        from_: The pin before; `from` in JSON.
        to: The pin afterwards.
        newest: The newest matching tag, if it is not the one that was used.
        commits: The commits between the two, if the repository could be reached and they are known.
    """

    name: str
    url: str | None
    outcome: Literal["updated", "added", "downgraded", "unchanged", "newer", "no-release", "no-repository"]
    from_: PinnedRelease | None
    to: PinnedRelease | None
    newest: str | None
    commits: CommitsBetween | None


@dataclass(frozen=True, kw_only=True)
class NewPin(Value):
    """A package that a profile now pins.

    Attributes:
        profile: The profile.
        name: The package.
        url: Its git repository, without secrets.
        tag: The tag.
    """

    profile: Literal["dev", "staging", "prod"]
    name: str
    url: str
    tag: str


@dataclass(frozen=True, kw_only=True)
class SetUpReport(Value):
    """The result of `init` or `add_package`.

    Attributes:
        root: The monorepo's root.
        written: The files that were created or changed.
        kept: The files that were already complete, and stay unchanged.
        pins: The new pins of staging and prod.
        unknown: What could not be determined, and was left out.
    """

    root: Path
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    pins: tuple[NewPin, ...]
    unknown: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class PromotionBranch(Value):
    """The branch of a promotion.

    Attributes:
        name: Its name.
        commit: Its last commit, which has the promotion.
        outcome: What became of it: `created`, `updated` if it had an older promotion, `unchanged` if it had this one.
    """

    name: str
    commit: str
    outcome: Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, kw_only=True, repr=False)
class PromoteReport(_Text):
    """The result of a promotion, shown as the table of the command line or, in a notebook, as an HTML table.

    Attributes:
        profile: The profile whose pins are changed.
        manifest: Its manifest.
        lockfile: Its lockfile.
        dry_run: Whether it was a dry run, which writes nothing.
        changed: Whether the manifest and the lockfile changed, or would change.
        packages: The packages that were considered, by name.
        locked: The changes in the lockfile; empty with `dry_run`, which does not lock.
        changes: The change of the manifest.
        findings: The findings of a check of the profile afterwards; empty with `dry_run`.
        commit: The git commit that was created.
        branch: The branch that has the promotion, in place of the files.
        elapsed_ms: How long it took, in milliseconds.
    """

    _reason = "promote-finished"
    profile: Literal["dev", "staging", "prod"]
    manifest: Path
    lockfile: Path
    dry_run: bool
    changed: bool
    packages: tuple[PromotedPackage, ...]
    locked: tuple[LockedChange, ...]
    changes: tuple[FileChange, ...]
    findings: tuple[Finding, ...]
    commit: str | None
    branch: PromotionBranch | None
    elapsed_ms: int


@dataclass(frozen=True, kw_only=True)
class DiffSide(Value):
    """One side of a comparison: a profile, now or at a revision.

    Attributes:
        profile: The profile.
        revision: The git revision; `None` for the files as they are.
        is_locked: Whether there is a lockfile; without one, only the manifests are compared.
    """

    profile: Literal["dev", "staging", "prod"]
    revision: str | None
    is_locked: bool


@dataclass(frozen=True, kw_only=True)
class InternalOrigin(Value):
    """Where an internal package comes from.

    Attributes:
        version: Its locked version.
        reference: The tag, branch or revision of a git source.
        commit: The locked commit of a git source.
        directory: The directory of a package from the working tree.
    """

    version: str | None
    reference: str | None
    commit: str | None
    directory: str | None


@dataclass(frozen=True, kw_only=True)
class InternalDifference(Value):
    """An internal package that differs.

    Attributes:
        name: The package.
        from_: Where it comes from on the first side, `None` if it is not there; `from` in JSON.
        to: Where it comes from on the second side.
    """

    name: str
    from_: InternalOrigin | None
    to: InternalOrigin | None


@dataclass(frozen=True, kw_only=True)
class BackendDifference(Value):
    """A backend that differs.

    Attributes:
        name: The backend.
        from_: The requirements that it adds on the first side, `None` if it is not there; `from` in JSON.
        to: The requirements that it adds on the second side.
    """

    name: str
    from_: tuple[str, ...] | None
    to: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class PythonRequest(Value):
    """The Python that a profile requires.

    Attributes:
        requires_python: `requires-python` of the manifest.
        python_version: The first line of `.python-version` beside it.
    """

    requires_python: str | None
    python_version: str | None


@dataclass(frozen=True, kw_only=True)
class PythonDifference(Value):
    """The Python that each of two sides requires.

    Attributes:
        from_: The first side; `from` in JSON.
        to: The second side.
    """

    from_: PythonRequest
    to: PythonRequest


@dataclass(frozen=True, kw_only=True, repr=False)
class DiffReport(_Text):
    """The differences between two profiles, shown as the tables of the command line or, in a notebook, as HTML tables.

    Attributes:
        from_: The first side; `from` in JSON.
        to: The second side.
        internal: The internal packages that differ, by name.
        packages: The other packages whose locked versions differ, by name.
        backends: The backends that differ, by name.
        python: The Python that each side requires, if that differs.
    """

    _reason = "diff-finished"
    from_: DiffSide
    to: DiffSide
    internal: tuple[InternalDifference, ...]
    packages: tuple[LockedChange, ...]
    backends: tuple[BackendDifference, ...]
    python: PythonDifference | None


@dataclass(frozen=True, kw_only=True)
class Difference(Value):
    """Something in an environment that is not as it should be.

    Attributes:
        kind: What kind of difference it is; `docs/commands.md` explains each.
        distribution: The distribution, or the one to which the file belongs.
        file: The file, relative to the environment.
        installed: What the environment has: a version, a commit or a backend.
        expected: What it should have.
    """

    kind: Literal[
        "wrong-backend",
        "missing-distribution",
        "extra-distribution",
        "wrong-version",
        "wrong-commit",
        "outdated",
        "changed-file",
        "missing-file",
        "added-file",
        "unverifiable-file",
    ]
    distribution: str | None
    file: Path | None
    installed: str | None
    expected: str | None


@dataclass(frozen=True, kw_only=True, repr=False)
class VerifyReport(_Text):
    """What was changed in an environment, shown as the command line prints it or, in a notebook, as a table.

    Attributes:
        profile: The profile.
        backend: The backend that the environment is to have.
        environment: The environment.
        python: Its Python.
        fast: Whether files of the right size that are older than the installation were trusted.
        vendored: The vendored directory with whose wheels the files were compared.
        distributions: The number of installed distributions.
        files: The number of files that were compared.
        bytes: The size of these files, in bytes.
        differences: What is not as it should be, by kind, distribution and file.
        uv: The uv that was used.
        elapsed_ms: How long it took, in milliseconds.
    """

    _reason = "verify-finished"
    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    environment: Path
    python: PythonInfo | None
    fast: bool
    vendored: Path | None
    distributions: int
    files: int
    bytes: int
    differences: tuple[Difference, ...]
    uv: UvInfo
    elapsed_ms: int


@dataclass(frozen=True, kw_only=True)
class VendoredLock(Value):
    """A lock in a vendored directory.

    Attributes:
        file: The file, in the directory.
        backend: The backend.
        packages: The number of packages.
    """

    file: str
    backend: str | None
    packages: int


@dataclass(frozen=True, kw_only=True)
class VendorReport(Value):
    """What was vendored.

    Attributes:
        profile: The profile.
        directory: The vendored directory.
        locks: Its locks: one for each backend.
        pythons: The versions of Python for which it was made, such as `3.11`.
        wheels: The number of its wheels.
        bytes: Their size, in bytes.
        downloaded: The files that were downloaded.
        built: The wheels that were built.
        removed: The files that were removed, because no lock names them anymore.
        uv: The uv that was used; `None` if nothing had to be done.
        elapsed_ms: How long it took, in milliseconds.
    """

    _reason = "vendor-finished"
    profile: Literal["dev", "staging", "prod"]
    directory: Path
    locks: tuple[VendoredLock, ...]
    pythons: tuple[str, ...]
    wheels: int
    bytes: int
    downloaded: tuple[str, ...]
    built: tuple[str, ...]
    removed: tuple[str, ...]
    uv: UvInfo | None
    elapsed_ms: int


@dataclass(frozen=True, kw_only=True)
class ImageLayer(Value):
    """A layer of an image.

    Attributes:
        content: What is in it.
        digest: The hash of its file, such as `sha256:…`.
        size: The size of its file, in bytes.
    """

    content: Literal["base", "packages", "internal-packages"]
    digest: str
    size: int


@dataclass(frozen=True, kw_only=True)
class ImageReport(Value):
    """A container image that was made.

    Attributes:
        profile: The profile.
        backend: The backend, or `None`.
        base: The base image, as it was named.
        base_digest: The hash of its manifest, such as `sha256:…`; `None` for a root file system.
        python: The version of its Python, such as `3.12`.
        name: The name of the image, with its registry and tag, or `None`.
        digest: The hash of its manifest, such as `sha256:…`.
        layers: Its layers, the lowest first.
        output: The layout or archive that was written, or `None`.
        pushed: The name in a registry that it was pushed to, or `None`.
        distributions: The number of distributions in its environment.
        uv: The uv that was used.
        elapsed_ms: How long it took, in milliseconds.
    """

    _reason = "image-finished"
    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    base: str
    base_digest: str | None
    python: str
    name: str | None
    digest: str
    layers: tuple[ImageLayer, ...]
    output: Path | None
    pushed: str | None
    distributions: int
    uv: UvInfo
    elapsed_ms: int


@dataclass(frozen=True, kw_only=True)
class BundleReport(Value):
    """A bundle that was made.

    Attributes:
        profile: The profile.
        backend: The backend, or `None`.
        file: The file that was written.
        size: Its size, in bytes.
        digest: The hash of what is in it, such as `sha256:…`.
        wheels: The number of wheels for the environment.
        pythons: The versions of Python for which they were vendored, such as `3.11`.
        elapsed_ms: How long it took, in milliseconds.
    """

    _reason = "bundle-finished"
    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    file: Path
    size: int
    digest: str
    wheels: int
    pythons: tuple[str, ...]
    elapsed_ms: int


@dataclass(frozen=True, kw_only=True)
class SbomReport(Value):
    """An account of an environment.

    Attributes:
        profile: The profile.
        backend: The backend of the environment, or `None`.
        environment: The environment.
        python: Its Python.
        file: The file that was written, or `None`.
        document: The document, an object of CycloneDX 1.6.
        distributions: The number of installed distributions.
        embedded: The number of crates and libraries that are linked into them.
        unknown: The distributions of which it is not known what is linked into them.
        uv: The uv that was used.
        elapsed_ms: How long it took, in milliseconds.
    """

    _reason = "sbom-finished"
    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    environment: Path
    python: PythonInfo | None
    file: Path | None
    document: dict[str, Any]
    distributions: int
    embedded: int
    unknown: tuple[str, ...]
    uv: UvInfo
    elapsed_ms: int

"""The reports: what the calls return, with the fields of the command line's JSON messages."""

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
    """What reports are made of."""

    _reason: ClassVar[str | None] = None
    _key: ClassVar[str | None] = None

    def to_dict(self) -> dict[str, Any]:
        """The same as the command line prints it with `--message-format json`.

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

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """The report of what `to_dict` returns.

        Args:
            plain: What `to_dict` returns, or a JSON message of the command line. Fields that are not known are passed
                over: a later version has more.

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
    """How the fields of a class are read from JSON."""
    if cls not in _READERS:
        hints = typing.get_type_hints(cls)
        _READERS[cls] = {one.name: _reader(hints[one.name]) for one in dataclasses.fields(cast("Any", cls))}
    return _READERS[cls]


def _reader(hint: Any) -> Callable[[Any], Any]:
    """How a value of a type is read from JSON."""
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
    """A report that the command line shows as a table."""

    _text: str

    def with_text(self, text: str) -> Self:
        """Keeps what the command line prints."""
        self.__dict__["_text"] = text.rstrip("\n")
        return self

    def __repr__(self) -> str:
        return self.__dict__.get("_text") or f"{type(self).__name__}({self.to_dict()!r})"


@dataclass(frozen=True, kw_only=True)
class UvInfo(Value):
    """The uv that did the work.

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
    """An error that stands in a report.

    Attributes:
        code: The stable code.
        message: One sentence.
        help: What mends it.
        file: The file that is to blame.
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
    """A package whose locked version has changed.

    Attributes:
        name: The package.
        from_: The versions before, empty for a new package; `from` in JSON. A package from git has its tag, branch or
            revision, and commit.
        to: The versions now, empty for one that is gone.
    """

    name: str
    from_: tuple[str, ...]
    to: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LockReport(Value):
    """What `lock` has done.

    Attributes:
        profile: The profile.
        lockfile: The lockfile.
        changed: Whether its content is another one now.
        dry_run: Whether nothing was to be written.
        packages: The packages whose locked versions are others now.
        uv: The uv that locked.
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

    def _repr_html_(self) -> str:
        from uvenv import _html

        return _html.lock(self)


@dataclass(frozen=True, kw_only=True)
class Rebuilt(Value):
    """A native package that was or would be built again.

    Attributes:
        name: The package.
        cause: Why: `crates/kernels/src/lib.rs has changed`.
    """

    name: str
    cause: str


@dataclass(frozen=True, kw_only=True)
class SyncPlanned(Value):
    """What a sync would do.

    Attributes:
        profile: The profile.
        backend: The backend, `None` without one.
        backend_origin: Why this backend.
        environment: The environment.
        recreate: Whether the environment would be removed first.
        rebuild: The native packages that would be built again.
        command: The call of uv, as one would type it.
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
        """Whether JSON is of this kind."""
        return bool(plain["kind"] == cls.__dict__["kind"])


@dataclass(frozen=True, kw_only=True)
class RegistrySource(_Source):
    """From a package index, or a folder of wheels.

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
        commit: The commit that was installed.
        requested: The tag, branch or commit that was asked for.
        subdirectory: Where in the repository the package is.
    """

    kind: Literal["git"] = "git"
    url: str
    commit: str
    requested: str | None = field(default=None, metadata=_OPTIONAL)
    subdirectory: str | None = field(default=None, metadata=_OPTIONAL)


@dataclass(frozen=True, kw_only=True)
class EditableSource(_Source):
    """From a directory, which is imported from.

    Attributes:
        kind: `editable`.
        path: The directory.
    """

    kind: Literal["editable"] = "editable"
    path: Path


@dataclass(frozen=True, kw_only=True)
class DirectorySource(_Source):
    """From a directory, which was copied from.

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
        url: Its URL, `file:` for one on this machine.
    """

    kind: Literal["archive"] = "archive"
    url: str


@dataclass(frozen=True, kw_only=True)
class UnknownSource(_Source):
    """From where, cannot be told.

    Attributes:
        kind: `unknown`.
    """

    kind: Literal["unknown"] = "unknown"


Source: TypeAlias = RegistrySource | GitSource | EditableSource | DirectorySource | ArchiveSource | UnknownSource
"""Where a distribution was installed from; its `kind` tells which."""


@dataclass(frozen=True, kw_only=True)
class Distribution(Value):
    """A distribution that is or was installed.

    Attributes:
        name: Its name, normalised.
        version: Its version.
        source: Where it was installed from.
    """

    name: str
    version: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class SyncReport(Value):
    """What `sync` has done.

    Attributes:
        profile: The profile.
        backend: The backend, `None` without one.
        backend_origin: Why this backend.
        environment: The environment.
        python: Its Python.
        changed: Whether a distribution was installed or removed.
        installed: What is new in the environment.
        removed: What is gone.
        rebuilt: The native packages that were built again, because their sources or how they are built have changed.
        uv: The uv that synced.
        uv_invoked: Whether it was started. It is not where it is known from an earlier sync that nothing is to be done.
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

    def _repr_html_(self) -> str:
        from uvenv import _html

        return _html.sync(self)


@dataclass(frozen=True, kw_only=True)
class Variable(Value):
    """A variable that programs must see otherwise.

    Attributes:
        name: Its name.
        change: What becomes of it.
        directories: What is put before what it has; empty for the other changes.
        value: What it is then, as seen from our own variables.
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
        changed: Whether its content is another one now.
    """

    path: Path
    changed: bool


@dataclass(frozen=True, kw_only=True)
class EnvReport(Value):
    """What programs must see to use an environment.

    Attributes:
        profile: The profile.
        backend: The backend of the environment's last sync.
        environment: The environment.
        python: The interpreter that it was made from.
        variables: The variables that programs must see otherwise.
        cargo_config: Cargo's configuration, where it was to be written.
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
        python: The interpreter that it was made from.
        site_packages: The directories of its packages.
        variables: The variables that programs must see otherwise.
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
        name: Its name, as `jupyter` takes it for `--kernel`.
        display_name: What people see.
        path: The directory of its kernelspec.
        root: The monorepo's root.
        profile: The profile.
        backend: The backend, `None` without one.
        command: What Jupyter starts.
        state: Whether it can start: `ready`, or `no-monorepo` where its monorepo is gone or was moved.
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
    """The Jupyter kernels that are uvenv's, shown as the table that the command line prints.

    Attributes:
        kernels: The kernels, in the order in which Jupyter finds them.
    """

    _reason = "kernels"
    kernels: tuple[KernelReport, ...]


@dataclass(frozen=True, kw_only=True)
class LockfileStatus(Value):
    """How a lockfile stands.

    Attributes:
        path: The lockfile.
        state: `fresh` where it satisfies the manifest, `stale` where it does not, `missing` or `unreadable`.
        reasons: Why it is stale or cannot be read.
    """

    path: Path
    state: Literal["fresh", "stale", "missing", "unreadable"]
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EnvironmentStatus(Value):
    """How an environment stands.

    Attributes:
        path: The environment.
        state: Whether it is what its last selection and the lockfile say. `unknown` where that cannot be told; `broken`
            where it is damaged or something else is in its place.
        python: Its Python.
        recorded: Whether it was last synced by uvenv, so that its backend is known.
        backend: The backend of its last sync.
        detail: More about the state.
        uv_asked_because: Why uv had to be asked for it, where what was known of an earlier sync no longer holds.
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
    """How one profile stands.

    Attributes:
        profile: The profile.
        manifest: Its manifest.
        backends: Its backends.
        lockfile: Its lockfile.
        environments: Its environment; with one environment per backend, each that is there.
        error: Why the profile could not be looked at.
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
        version: Its version, of a workspace member.
        reference: Its tag, branch or revision in the manifest: `v0.1.2`.
        commit: The commit in the lockfile, where the lockfile has this pin.
    """

    profile: Literal["dev", "staging", "prod"]
    version: str | None
    reference: str | None
    commit: str | None


@dataclass(frozen=True, kw_only=True)
class PackageStatus(Value):
    """Where an internal package comes from, profile by profile.

    Attributes:
        name: The package.
        profiles: For each profile that has it.
    """

    name: str
    profiles: tuple[PackageOrigin, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class StatusReport(_Text):
    """How the profiles stand. In a terminal it is the table that the command line prints, in a notebook one of HTML.

    Attributes:
        root: The monorepo's root.
        profiles: The profiles that there are.
        packages: The internal packages.
    """

    _reason = "status"
    root: Path
    profiles: tuple[ProfileStatus, ...]
    packages: tuple[PackageStatus, ...]

    def _repr_html_(self) -> str:
        from uvenv import _html

        return _html.status(self)


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
        profiles: The profiles that there are.
        features_unknown: Why the Cargo features are not known, if they are not.
    """

    _reason = "backends"
    profiles: tuple[ProfileBackends, ...]
    features_unknown: str | None


class _Detection(Value):
    @classmethod
    def is_of(cls, plain: dict[str, Any]) -> bool:
        """Whether JSON is of this kind."""
        return cls._key in plain


@dataclass(frozen=True, kw_only=True)
class Driver(_Detection):
    """The NVIDIA driver of this machine.

    Attributes:
        version: The driver's version: `550.54.15`.
        cuda: The newest CUDA release that it runs: `12.4`.
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
        backend: The backend; `None` where nothing fits.
        explanation: Why.
    """

    profile: Literal["dev", "staging", "prod"]
    backend: str | None
    explanation: str


@dataclass(frozen=True, kw_only=True, repr=False)
class DetectionReport(_Text):
    """What the GPU's driver says, shown as the command line prints it.

    Attributes:
        detected: The driver, or why there is none.
        auto: What `auto` would choose, profile by profile.
    """

    _reason = "backend-detected"
    detected: Driver | NoDriver
    auto: tuple[AutoChoice, ...]


@dataclass(frozen=True, kw_only=True)
class RelatedPlace(Value):
    """A line that has to do with a finding.

    Attributes:
        message: What it has to do with it, in a few words.
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
    """Something that is wrong.

    Attributes:
        severity: How much it matters: an `error` makes a check fail, a `warning` is worth a change, an `info` is worth
            knowing.
        code: The stable code, such as `dev-tag-in-prod`; `docs/check.md` explains each.
        message: One sentence.
        help: What mends it.
        profile: The profile that it is about.
        package: The package that it is about.
        file: The file that is to blame.
        line: The line in it, from 1.
        column: The column in it, in characters, from 1.
        related: Other lines that have to do with it.
        fixable: Whether `fix` mends it.
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
        diff: Its old and new lines as a unified diff.
    """

    file: Path
    diff: str


@dataclass(frozen=True, kw_only=True, repr=False)
class CheckReport(_Text):
    """What a check has found. In a terminal it is what the command line prints, in a notebook a table.

    Attributes:
        root: The monorepo's root.
        profiles: The profiles that were looked at.
        remote: Whether git remotes were asked.
        findings: What was found, and is still so.
        errors: How many of them are errors.
        warnings: How many of them are warnings.
        infos: How many of them are worth knowing only.
        fixed: What `fix` has mended; with `dry_run`, what it would mend, which is among the findings too.
        changes: The files that `fix` has changed, or would.
        dry_run: Whether nothing was to be written.
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

    def _repr_html_(self) -> str:
        from uvenv import _html

        return _html.check(self)


@dataclass(frozen=True, kw_only=True)
class PinnedRelease(Value):
    """A tag and what it names.

    Attributes:
        reference: The tag, or the branch or revision.
        version: Its version, where it names one.
        commit: The commit, where it is known.
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
    """What became of one package.

    Attributes:
        name: The package.
        url: Its git repository, without secrets; `None` where nobody says which it is.
        outcome: What became of its pin: it got a newer tag (`updated`) or an older one that was asked for
            (`downgraded`), is new to the profile (`added`), has the newest tag that fits (`unchanged`), is newer than
            that and stays (`newer`); there is no tag that fits (`no-release`), or nobody says in which git repository
            it is (`no-repository`).
        from_: What the profile had; `from` in JSON.
        to: What the profile has now, or would have.
        newest: The newest tag that fits the profile, where it is not the one that was taken.
        commits: The commits between the two, where the repository could be asked and they are known.
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
    """A package that a profile pins now.

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
    """What was set up.

    Attributes:
        root: The monorepo's root.
        written: The files that were made or changed.
        kept: The files that have what they need, and are as they were.
        pins: What staging and prod pin now.
        unknown: What could not be known, and was left out.
    """

    root: Path
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    pins: tuple[NewPin, ...]
    unknown: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class PromoteReport(_Text):
    """What a promotion has done. In a terminal it is the table that the command line prints, in a notebook one of HTML.

    Attributes:
        profile: The profile whose pins these are.
        manifest: Its manifest.
        lockfile: Its lockfile.
        dry_run: Whether nothing was to be written.
        changed: Whether the manifest and the lockfile are others than before, or would be.
        packages: The packages that were looked at, by name.
        locked: What has changed in the lockfile; empty with `dry_run`, which locks nothing.
        changes: The change of the manifest.
        findings: What a check of the profile finds afterwards; empty with `dry_run`.
        commit: The git commit that was made.
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
    elapsed_ms: int

    def _repr_html_(self) -> str:
        from uvenv import _html

        return _html.promote(self)


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
        reference: Its tag, branch or revision, of a git source.
        commit: Its locked commit, of a git source.
        directory: Its directory, of a package that is taken from the working tree.
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
        from_: Where the first side has it from, `None` where it does not have it; `from` in JSON.
        to: Where the second side has it from.
    """

    name: str
    from_: InternalOrigin | None
    to: InternalOrigin | None


@dataclass(frozen=True, kw_only=True)
class BackendDifference(Value):
    """A backend that differs.

    Attributes:
        name: The backend.
        from_: The requirements that it adds on the first side, `None` where that does not have it; `from` in JSON.
        to: The requirements that it adds on the second side.
    """

    name: str
    from_: tuple[str, ...] | None
    to: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class PythonRequest(Value):
    """What a profile says of Python.

    Attributes:
        requires_python: `requires-python` of the manifest.
        python_version: The first line of `.python-version` beside it.
    """

    requires_python: str | None
    python_version: str | None


@dataclass(frozen=True, kw_only=True)
class PythonDifference(Value):
    """What two sides say of Python.

    Attributes:
        from_: The first side; `from` in JSON.
        to: The second side.
    """

    from_: PythonRequest
    to: PythonRequest


@dataclass(frozen=True, kw_only=True, repr=False)
class DiffReport(_Text):
    """What differs between two profiles. In a terminal it is the tables of the command line, in a notebook HTML.

    Attributes:
        from_: What is compared; `from` in JSON.
        to: What it is compared with.
        internal: The internal packages that differ, by name.
        packages: The other packages whose locked versions differ, by name.
        backends: The backends that differ, by name.
        python: What the sides say of Python, where that differs.
    """

    _reason = "diff-finished"
    from_: DiffSide
    to: DiffSide
    internal: tuple[InternalDifference, ...]
    packages: tuple[LockedChange, ...]
    backends: tuple[BackendDifference, ...]
    python: PythonDifference | None

    def _repr_html_(self) -> str:
        from uvenv import _html

        return _html.diff(self)

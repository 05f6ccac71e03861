"""The exceptions: one class for each error code, below families, below `Error`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

_BY_CODE: dict[str, type[Error]] = {}


class Error(Exception):
    """Whatever uvenv refuses or fails to do. `str()` of it is the whole text that the command line prints.

    Attributes:
        code: The stable code, such as `backend-required`; `docs/errors.md` explains each.
        message: What is wrong, in one sentence.
        help: The command or the edit that mends it, where there is one.
        path: The file that is to blame, where one is.
        line: The line in it, from 1.
        column: The column in it, in characters, from 1.

    Example:
        >>> try:
        ...     uvenv.sync("prod")
        ... except uvenv.Error as error:
        ...     print(error.code)
        backend-required
    """

    code: ClassVar[str] = "error"
    message: str
    help: str | None
    path: Path | None
    line: int | None
    column: int | None

    def __init_subclass__(cls, *, code: str | None = None, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if code is not None:
            cls.code = code
            # What a traceback calls it.
            cls.__module__ = "uvenv"
            _BY_CODE[code] = cls

    def __init__(
        self,
        message: str,
        *,
        text: str | None = None,
        help: str | None = None,
        path: str | os.PathLike[str] | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(text if text is not None else message)
        self.message = message
        self.help = help
        self.path = None if path is None else Path(path)
        self.line = line
        self.column = column

    def __reduce__(self) -> tuple[Any, ...]:
        # With keyword arguments `BaseException`'s own way would call `__init__` with the text alone.
        return _again, (type(self), str(self), self.__dict__)


def _again(cls: type[Error], text: str, fields: dict[str, Any]) -> Error:
    error = cls.__new__(cls, text)
    error.args = (text,)
    error.__dict__.update(fields)
    return error


def class_of(code: str) -> type[Error]:
    """The class of a code. The native part raises through it."""
    return _BY_CODE.get(code, Error)


class RequestError(Error):
    """What is asked for does not exist or contradicts itself."""


class ManifestError(Error):
    """A manifest or a configuration cannot be read or is wrong; `path`, `line` and `column` say where."""


class LockfileError(Error):
    """A lockfile is missing, stale or damaged, or cannot be made."""


class VirtualEnvironmentError(Error):
    """An environment cannot be used."""


class ToolError(Error):
    """uv, git or Cargo is missing or fails, or the cache cannot be used."""


class KernelError(Error):
    """A Jupyter kernel cannot be installed or removed."""


class ReleaseError(Error):
    """A release cannot be promoted; the manifest and the lockfile are as before."""


class InvalidArguments(RequestError, code="invalid-arguments"):
    """The arguments contradict each other, or one of them cannot be."""


class BackendRequired(RequestError, code="backend-required"):
    """The profile has backends, and nothing says which."""


class UnknownBackend(RequestError, code="unknown-backend"):
    """The profile has no backend of that name."""


class BackendConflict(RequestError, code="backend-conflict"):
    """Two sides choose different backends."""


class NoFittingBackend(RequestError, code="no-fitting-backend"):
    """`auto` finds no backend that the GPU's driver runs."""


class UnknownProfile(RequestError, code="unknown-profile"):
    """The monorepo has no such profile."""


class NotAProfile(RequestError, code="not-a-profile"):
    """A project is not one of the profiles."""


class NotAManifest(RequestError, code="not-a-manifest"):
    """A path names neither a `Cargo.toml` nor a `pyproject.toml`."""


class NoMonorepo(RequestError, code="no-monorepo"):
    """No directory from here up is a monorepo's root."""


class UnknownPackage(RequestError, code="unknown-package"):
    """The workspace has no such Python package."""


class UnknownCrate(RequestError, code="unknown-crate"):
    """The Cargo workspace has no such crate."""


class UnknownFeature(RequestError, code="unknown-feature"):
    """The crates have no such Cargo feature."""


class NoCargoWorkspace(RequestError, code="no-cargo-workspace"):
    """Cargo features are asked for where there is no Cargo workspace."""


class CargoFailed(ToolError, code="cargo-failed"):
    """Cargo cannot be run, or fails."""


class MissingEnvironment(VirtualEnvironmentError, code="missing-environment"):
    """There is no environment, and the call takes it as it is."""


class UnquotableValue(RequestError, code="unquotable-value"):
    """A variable's value cannot be written in the language of a shell."""


class CommandNotStarted(RequestError, code="command-not-started"):
    """The command cannot be started."""


class UnreadableFile(ManifestError, code="unreadable-file"):
    """A file cannot be read."""


class UnreadableDirectory(ManifestError, code="unreadable-directory"):
    """A directory cannot be read."""


class NonUtf8Path(ManifestError, code="non-utf8-path"):
    """A path is not Unicode."""


class InvalidToml(ManifestError, code="invalid-toml"):
    """A file is not valid TOML."""


class InvalidValue(ManifestError, code="invalid-value"):
    """A value is not of the form that is needed."""


class CargoConfigNotWritable(ManifestError, code="cargo-config-not-writable"):
    """Cargo's configuration cannot be written."""


class NoProject(ManifestError, code="no-project"):
    """A manifest has no `[project]` table."""


class InvalidRequirement(ManifestError, code="invalid-requirement"):
    """A requirement is not valid."""


class InvalidSource(ManifestError, code="invalid-source"):
    """A source says not where the package comes from."""


class UnsafeGitSource(ManifestError, code="unsafe-git-source"):
    """A git source could be taken for an option of git."""


class UnknownKey(ManifestError, code="unknown-key"):
    """The configuration has a key that uvenv does not know."""


class TwoConfigurations(ManifestError, code="two-configurations"):
    """There are two configurations."""


class NotWritable(ManifestError, code="not-writable"):
    """A file or directory cannot be made or replaced."""


class UnknownCode(RequestError, code="unknown-code"):
    """There is no finding of a code, neither in the configuration nor in a call."""


class NoNetwork(RequestError, code="no-network"):
    """Git remotes are to be asked, without the network."""


class TwoLevels(RequestError, code="two-levels"):
    """A code is to be of two levels at once."""


class StaleLockfile(LockfileError, code="stale-lockfile"):
    """The lockfile does not satisfy its manifest."""


class MissingLockfile(LockfileError, code="missing-lockfile"):
    """There is no lockfile."""


class DamagedLockfile(LockfileError, code="damaged-lockfile"):
    """The lockfile is not what uv writes."""


class NewerLockfile(LockfileError, code="newer-lockfile"):
    """The lockfile was written by a uv that is newer than this uvenv."""


class MissingTag(LockfileError, code="missing-tag"):
    """The repository of a pin has no such tag."""


class UnreachableRemote(LockfileError, code="unreachable-remote"):
    """The repository of a pin cannot be reached."""


class BrokenEnvironment(VirtualEnvironmentError, code="broken-environment"):
    """An environment is damaged."""


class NotAnEnvironment(VirtualEnvironmentError, code="not-an-environment"):
    """Something else is in an environment's place."""


class EnvironmentNotWritable(VirtualEnvironmentError, code="environment-not-writable"):
    """An environment cannot be written."""


class EnvironmentUnreadable(VirtualEnvironmentError, code="environment-unreadable"):
    """An environment cannot be read."""


class PythonDoesNotRun(VirtualEnvironmentError, code="python-does-not-run"):
    """An environment's Python does not run."""


class OtherPython(VirtualEnvironmentError, code="other-python"):
    """An environment's Python does not fit the one that runs."""


class NoJupyterDirectory(KernelError, code="no-jupyter-directory"):
    """Nothing says where Jupyter keeps kernels."""


class InvalidKernelName(KernelError, code="invalid-kernel-name"):
    """Jupyter takes no such name."""


class KernelExists(KernelError, code="kernel-exists"):
    """There is a kernel of that name already."""


class MissingIpykernel(KernelError, code="missing-ipykernel"):
    """The environment has no `ipykernel`."""


class UnknownKernel(KernelError, code="unknown-kernel"):
    """There is no kernel of that name."""


class NotAUvenvKernel(KernelError, code="not-a-uvenv-kernel"):
    """The kernel is somebody else's."""


class KernelNotWritable(KernelError, code="kernel-not-writable"):
    """The kernel's files cannot be written."""


class UvNotFound(ToolError, code="uv-not-found"):
    """There is no uv."""


class UvTooOld(ToolError, code="uv-too-old"):
    """The uv is too old."""


class UvUnusable(ToolError, code="uv-unusable"):
    """What was taken for uv does not answer like uv."""


class UvFetchFailed(ToolError, code="uv-fetch-failed"):
    """uv cannot be fetched."""


class UvFailed(ToolError, code="uv-failed"):
    """uv has failed.

    Attributes:
        returncode: Its exit status; a signal is negative, as in `subprocess`. `None` where it could not be started.
        stderr: What it said, without secrets.
    """

    returncode: int | None
    stderr: str

    def __init__(self, message: str, *, returncode: int | None = None, stderr: str = "", **rest: Any) -> None:
        super().__init__(message, **rest)
        self.returncode = returncode
        self.stderr = stderr


class Interrupted(ToolError, code="interrupted"):
    """The interpreter is being shut down; a Ctrl-C is a `KeyboardInterrupt`."""


class NativeBuildArguments(ToolError, code="native-build-arguments"):
    """The settings of native packages cannot be given to uv."""


class GitNotFound(ToolError, code="git-not-found"):
    """There is no git."""


class GitFailed(ToolError, code="git-failed"):
    """git has failed."""


class NoCacheDirectory(ToolError, code="no-cache-directory"):
    """Nothing says where uvenv's cache is."""


class CacheUnusable(ToolError, code="cache-unusable"):
    """uvenv's cache cannot be used."""


class InvalidPromotion(RequestError, code="invalid-promotion"):
    """What is to be promoted has no meaning."""


class OutsideMonorepo(RequestError, code="outside-monorepo"):
    """A package is not in the monorepo."""


class UnknownRepository(ReleaseError, code="unknown-repository"):
    """Nothing says in which git repository a package is."""


class NoRelease(ReleaseError, code="no-release"):
    """No tag of a package fits."""


class MovedTag(ReleaseError, code="moved-tag"):
    """A tag names two commits: somebody has moved it."""


class PackageNotAtTag(ReleaseError, code="package-not-at-tag"):
    """A package is not where its source says, at the commit of its tag."""


class VersionTagMismatch(ReleaseError, code="version-tag-mismatch"):
    """The package's own version is not that of its tag."""


class TagKeepsWorkspaceSources(ReleaseError, code="tag-keeps-workspace-sources"):
    """At its tag a package has sources that lead out of its repository, so uv cannot install it from git."""


class PromotionFailsCheck(ReleaseError, code="promotion-fails-check"):
    """A check finds errors in the profile with its new pins."""


class DirtyIndex(ReleaseError, code="dirty-index"):
    """Changes are staged already, and would be in the commit too."""


class PromotionInWorkspace(ReleaseError, code="promotion-in-workspace"):
    """The workspace would take the place where new pins are tried for a member."""


class InvalidComparison(RequestError, code="invalid-comparison"):
    """What is to be compared is no profile, or is the same twice."""


class UnknownRevision(RequestError, code="unknown-revision"):
    """The git repository has no such revision."""


class NotAtRevision(RequestError, code="not-at-revision"):
    """The profile is not there at the git revision."""

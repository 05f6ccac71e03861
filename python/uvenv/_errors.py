"""The exceptions: one class per error code, grouped in families, all derived from `Error`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

_BY_CODE: dict[str, type[Error]] = {}


class Error(Exception):
    """The base class of all errors. `str()` of it is the text that the command line prints.

    Attributes:
        code: The stable code, such as `backend-required`; `docs/errors.md` explains each.
        message: What is wrong, in one sentence.
        help: The command or the edit that fixes it, if there is one.
        path: The file that caused it, if there is one.
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
    """Returns the class of a code; the native part uses it to raise errors."""
    return _BY_CODE.get(code, Error)


class RequestError(Error):
    """The request is contradictory, or names something that does not exist."""


class ManifestError(Error):
    """A manifest or a configuration cannot be read or is wrong; `path`, `line` and `column` say where."""


class LockfileError(Error):
    """A lockfile is missing, stale or damaged, or cannot be created."""


class VirtualEnvironmentError(Error):
    """An environment cannot be used."""


class ToolError(Error):
    """uv, git or Cargo is missing or fails, or the cache cannot be used."""


class VendorError(Error):
    """A profile cannot be vendored, or a vendored directory cannot be used; nothing was lost."""


class ImageError(Error):
    """A container image cannot be made; one that was there before is unchanged."""


class BundleError(Error):
    """A bundle cannot be made or opened."""


class KernelError(Error):
    """A Jupyter kernel cannot be installed or removed."""


class ReleaseError(Error):
    """A release cannot be promoted; the manifest and the lockfile are unchanged."""


class InvalidArguments(RequestError, code="invalid-arguments"):
    """The arguments contradict each other, or one of them is invalid."""


class BackendRequired(RequestError, code="backend-required"):
    """The profile has backends, and none is selected."""


class UnknownBackend(RequestError, code="unknown-backend"):
    """The profile has no backend with that name."""


class BackendConflict(RequestError, code="backend-conflict"):
    """Two settings select different backends."""


class NoFittingBackend(RequestError, code="no-fitting-backend"):
    """`auto` finds no backend that the GPU driver supports."""


class UnclearBackends(RequestError, code="unclear-backends"):
    """The conflicts of a manifest are about accelerators, but are not one choice between them."""


class PackageWithoutBackend(RequestError, code="package-without-backend"):
    """The packages to sync do not have the backend of the environment."""


class BackendChanged(VirtualEnvironmentError, code="backend-changed"):
    """Something other than uvenv has changed the backend of an environment."""


class OtherBackend(RequestError, code="other-backend"):
    """The environment has another backend than the call names."""


class UnknownProfile(RequestError, code="unknown-profile"):
    """The monorepo has no such profile."""


class NotAProfile(RequestError, code="not-a-profile"):
    """A project is not one of the profiles."""


class NotAManifest(RequestError, code="not-a-manifest"):
    """A path names neither a `Cargo.toml` nor a `pyproject.toml`."""


class NoMonorepo(RequestError, code="no-monorepo"):
    """Neither the directory nor any of its parents is the root of a monorepo."""


class UnknownPackage(RequestError, code="unknown-package"):
    """The workspace has no such Python package."""


class UnknownCrate(RequestError, code="unknown-crate"):
    """The Cargo workspace has no such crate."""


class UnknownFeature(RequestError, code="unknown-feature"):
    """The crates have no such Cargo feature."""


class NoCargoWorkspace(RequestError, code="no-cargo-workspace"):
    """Cargo features are given, but there is no Cargo workspace."""


class CargoFailed(ToolError, code="cargo-failed"):
    """Cargo fails or cannot be run."""


class MissingEnvironment(VirtualEnvironmentError, code="missing-environment"):
    """There is no environment, and the call does not create one."""


class UnquotableValue(RequestError, code="unquotable-value"):
    """A variable's value cannot be written in the language of a shell."""


class CommandNotStarted(RequestError, code="command-not-started"):
    """The command cannot be started."""


class UnsupportedVariable(RequestError, code="unsupported-variable"):
    """A variable of uv changes what a command does in a way that is not supported."""


class UnreadableEnvFile(RequestError, code="unreadable-env-file"):
    """A file with variables for `run` cannot be read."""


class UnreadableFile(ManifestError, code="unreadable-file"):
    """A file cannot be read."""


class UnreadableDirectory(ManifestError, code="unreadable-directory"):
    """A directory cannot be read."""


class NonUtf8Path(ManifestError, code="non-utf8-path"):
    """A path is not Unicode."""


class InvalidToml(ManifestError, code="invalid-toml"):
    """A file is not valid TOML."""


class InvalidValue(ManifestError, code="invalid-value"):
    """A value has the wrong type or form."""


class CargoConfigNotWritable(ManifestError, code="cargo-config-not-writable"):
    """Cargo's configuration cannot be written."""


class NoProject(ManifestError, code="no-project"):
    """A manifest has no `[project]` table."""


class InvalidRequirement(ManifestError, code="invalid-requirement"):
    """A requirement is not valid."""


class InvalidSource(ManifestError, code="invalid-source"):
    """A source does not say where the package comes from."""


class UnsafeGitSource(ManifestError, code="unsafe-git-source"):
    """Git could mistake a git source for an option."""


class UnknownKey(ManifestError, code="unknown-key"):
    """The configuration has a key that uvenv does not know."""


class NotAPinnedProfile(ManifestError, code="not-a-pinned-profile"):
    """The configuration requires signed tags for something that is not a profile with pins."""


class TwoConfigurations(ManifestError, code="two-configurations"):
    """The monorepo has two configurations."""


class NotWritable(ManifestError, code="not-writable"):
    """A file or directory cannot be created or replaced."""


class UnknownCode(RequestError, code="unknown-code"):
    """The configuration or a call names a code that no finding has."""


class NoNetwork(RequestError, code="no-network"):
    """The call must contact git remotes, but network access is disabled."""


class TwoLevels(RequestError, code="two-levels"):
    """A code is given two levels at once."""


class StaleLockfile(LockfileError, code="stale-lockfile"):
    """The lockfile does not satisfy its manifest."""


class MissingLockfile(LockfileError, code="missing-lockfile"):
    """There is no lockfile."""


class DamagedLockfile(LockfileError, code="damaged-lockfile"):
    """The lockfile is not in the format that uv writes."""


class NewerLockfile(LockfileError, code="newer-lockfile"):
    """The lockfile was written by a version of uv that is newer than this uvenv supports."""


class MissingTag(LockfileError, code="missing-tag"):
    """The repository of a pin has no such tag."""


class UnreachableRemote(LockfileError, code="unreachable-remote"):
    """The repository of a pin cannot be reached."""


class BrokenEnvironment(VirtualEnvironmentError, code="broken-environment"):
    """An environment is damaged."""


class NotAnEnvironment(VirtualEnvironmentError, code="not-an-environment"):
    """The path of an environment holds something else."""


class EnvironmentNotWritable(VirtualEnvironmentError, code="environment-not-writable"):
    """An environment cannot be written."""


class EnvironmentUnreadable(VirtualEnvironmentError, code="environment-unreadable"):
    """An environment cannot be read."""


class PythonDoesNotRun(VirtualEnvironmentError, code="python-does-not-run"):
    """An environment's Python does not run."""


class EnvironmentInUse(VirtualEnvironmentError, code="environment-in-use"):
    """The environment is being synced by a process that waits for this one."""


class MovedEnvironment(VirtualEnvironmentError, code="moved-environment"):
    """An environment was moved or copied after its last sync."""


class OtherPython(VirtualEnvironmentError, code="other-python"):
    """The Python of an environment is not compatible with the running interpreter."""


class NoJupyterDirectory(KernelError, code="no-jupyter-directory"):
    """The directory in which Jupyter keeps its kernels is unknown."""


class InvalidKernelName(KernelError, code="invalid-kernel-name"):
    """Jupyter does not accept the name."""


class KernelExists(KernelError, code="kernel-exists"):
    """A kernel with that name exists already."""


class MissingIpykernel(KernelError, code="missing-ipykernel"):
    """The environment has no `ipykernel`."""


class UnknownKernel(KernelError, code="unknown-kernel"):
    """There is no kernel with that name."""


class NotAUvenvKernel(KernelError, code="not-a-uvenv-kernel"):
    """The kernel was not installed by uvenv."""


class KernelNotWritable(KernelError, code="kernel-not-writable"):
    """The kernel's files cannot be written."""


class UvNotFound(ToolError, code="uv-not-found"):
    """uv was not found."""


class UvTooOld(ToolError, code="uv-too-old"):
    """The uv that was found is too old."""


class UvUnusable(ToolError, code="uv-unusable"):
    """The program that was found does not behave like uv."""


class UvFetchFailed(ToolError, code="uv-fetch-failed"):
    """uv cannot be downloaded."""


class UvFailed(ToolError, code="uv-failed"):
    """uv failed.

    Attributes:
        returncode: The exit status of uv; a signal is negative, as in `subprocess`. `None` if uv could not be started.
        stderr: What uv printed to stderr, without secrets.
    """

    returncode: int | None
    stderr: str

    def __init__(self, message: str, *, returncode: int | None = None, stderr: str = "", **rest: Any) -> None:
        super().__init__(message, **rest)
        self.returncode = returncode
        self.stderr = stderr


class Interrupted(ToolError, code="interrupted"):
    """The interpreter is shutting down. Ctrl-C raises `KeyboardInterrupt` instead."""


class NativeBuildArguments(ToolError, code="native-build-arguments"):
    """The build settings of native packages cannot be passed to uv."""


class GitNotFound(ToolError, code="git-not-found"):
    """git was not found."""


class GitFailed(ToolError, code="git-failed"):
    """git failed."""


class NoCacheDirectory(ToolError, code="no-cache-directory"):
    """The location of uvenv's cache is unknown."""


class LockTimeout(ToolError, code="lock-timeout"):
    """Another process keeps a lock for longer than `UVENV_LOCK_TIMEOUT`."""


class InvalidLockTimeout(RequestError, code="invalid-lock-timeout"):
    """`UVENV_LOCK_TIMEOUT` is not a number of seconds."""


class CacheUnusable(ToolError, code="cache-unusable"):
    """uvenv's cache cannot be used."""


class InvalidPromotion(RequestError, code="invalid-promotion"):
    """The arguments of a promotion make no sense together."""


class OutsideMonorepo(RequestError, code="outside-monorepo"):
    """A package is not in the monorepo."""


class UnknownRepository(ReleaseError, code="unknown-repository"):
    """The git repository of a package is unknown."""


class NoRelease(ReleaseError, code="no-release"):
    """A package has no matching tag."""


class UnsignedTag(ReleaseError, code="unsigned-tag"):
    """The configuration requires signed tags, and a tag is not signed."""


class UntrustedSigner(ReleaseError, code="untrusted-signer"):
    """The configuration requires signed tags, and git does not trust the signature of a tag."""


class MovedTag(ReleaseError, code="moved-tag"):
    """A tag points to two different commits, because it was moved."""


class PackageNotAtTag(ReleaseError, code="package-not-at-tag"):
    """At its tag, a package is not in the directory that its source names."""


class VersionTagMismatch(ReleaseError, code="version-tag-mismatch"):
    """The version of a package differs from the version in its tag."""


class TagKeepsWorkspaceSources(ReleaseError, code="tag-keeps-workspace-sources"):
    """At its tag, a package has sources outside its repository, so uv cannot install it from git."""


class PromotionFailsCheck(ReleaseError, code="promotion-fails-check"):
    """A check finds errors in the profile with its new pins."""


class DirtyIndex(ReleaseError, code="dirty-index"):
    """Other changes are already staged in git, and would become part of the commit."""


class ForeignBranch(ReleaseError, code="foreign-branch"):
    """The branch for a promotion has commits of somebody else."""


class PromotionInWorkspace(ReleaseError, code="promotion-in-workspace"):
    """The workspace would treat the directory in which new pins are tried as a member."""


class InvalidComparison(RequestError, code="invalid-comparison"):
    """A side of the comparison is not a profile, or both sides are the same."""


class UnknownRevision(RequestError, code="unknown-revision"):
    """The git repository has no such revision."""


class NotAtRevision(RequestError, code="not-at-revision"):
    """The profile does not exist at the git revision."""


class CannotVendor(VendorError, code="cannot-vendor"):
    """A package has no form that can be vendored."""


class VendoringToolsFailed(VendorError, code="vendoring-tools-failed"):
    """The tools with which wheels are selected and downloaded could not be installed, or do not work."""


class DownloadFailed(VendorError, code="download-failed"):
    """Files could not be downloaded, or have other hashes than the lockfile says."""


class WheelBuildFailed(VendorError, code="wheel-build-failed"):
    """The wheel of a package could not be built, or has another version than the locked one."""


class UnusableVendoredDirectory(VendorError, code="unusable-vendored-directory"):
    """The vendored directory cannot be read or written."""


class NotAVendoredDirectory(VendorError, code="not-a-vendored-directory"):
    """The directory is not empty, and was not made by vendoring."""


class NoSuchPython(VendorError, code="no-such-python"):
    """uv does not find the interpreter."""


class NoVendoredLock(VendorError, code="no-vendored-lock"):
    """The directory has no lock made by vendoring."""


class UnreadableVendoredFile(VendorError, code="unreadable-vendored-file"):
    """A file of the vendored directory cannot be read."""


class VendoredForAnotherProfile(VendorError, code="vendored-for-another-profile"):
    """The directory was vendored for other profiles."""


class VendoredForAnotherBackend(VendorError, code="vendored-for-another-backend"):
    """The directory was vendored with other backends."""


class VendoredFromAnotherLockfile(VendorError, code="vendored-from-another-lockfile"):
    """The lockfile has changed since the directory was vendored."""


class VendoredForAnotherPython(VendorError, code="vendored-for-another-python"):
    """The directory was vendored for other versions of Python."""


class NoPythonForVendored(VendorError, code="no-python-for-vendored"):
    """There is no interpreter for a new environment."""


class ChangedVendoredFile(VendorError, code="changed-vendored-file"):
    """A wheel does not have the hash in the lock."""


class MissingVendoredFile(VendorError, code="missing-vendored-file"):
    """A wheel that the lock names is missing."""


class SurplusVendoredFile(VendorError, code="surplus-vendored-file"):
    """There is a file among the wheels that no lock names."""


class VendoredSelection(VendorError, code="vendored-selection"):
    """An option selects something else than was vendored, or the operation cannot use a vendored directory."""


class DamagedVendoredLock(VendorError, code="damaged-vendored-lock"):
    """A lock of the vendored directory is damaged, or was made by another version."""


class UnknownPlatform(VendorError, code="unknown-platform"):
    """The platform to vendor for is not known."""


class VendoredForAnotherPlatform(VendorError, code="vendored-for-another-platform"):
    """The directory was vendored for other platforms."""


class NoTemporaryDirectory(RequestError, code="no-temporary-directory"):
    """A temporary directory cannot be made."""


class OutputNotWritten(RequestError, code="output-not-written"):
    """The command line could not write its output."""


class OutdatedEnvironment(VirtualEnvironmentError, code="outdated-environment"):
    """The environment is not what its lockfile says."""


class InvalidSourceDateEpoch(RequestError, code="invalid-source-date-epoch"):
    """`SOURCE_DATE_EPOCH` is not a number of seconds."""


class SbomNotWritten(VirtualEnvironmentError, code="sbom-not-written"):
    """The document about an environment could not be made or written."""


class InvalidImageName(ImageError, code="invalid-image-name"):
    """Neither a path nor the name of an image."""


class UnreadableBaseImage(ImageError, code="unreadable-base-image"):
    """The base image is damaged, or is none."""


class NotAnImageLayout(ImageError, code="not-an-image-layout"):
    """The directory has something else in it than an OCI image layout."""


class NoSuchImage(ImageError, code="no-such-image"):
    """The layout or archive does not have the image, or has several."""


class BaseForAnotherPlatform(ImageError, code="base-for-another-platform"):
    """The base image is not for Linux on the processor of this machine."""


class NoPythonInBase(ImageError, code="no-python-in-base"):
    """The base image has no Python for which the directory was vendored."""


class BaseWithAnotherLibc(ImageError, code="base-with-another-libc"):
    """A package needs another C library than that of the base image."""


class ImagesNeedLinux(ImageError, code="images-need-linux"):
    """Images can only be made on Linux."""


class InvalidImageOption(ImageError, code="invalid-image-option"):
    """The working directory or the user is not valid."""


class NoSkopeo(ImageError, code="no-skopeo"):
    """skopeo, which is used for registries, is not there."""


class RegistryFailed(ImageError, code="registry-failed"):
    """The base image could not be fetched, or the image could not be pushed."""


class ImageIo(ImageError, code="image-io"):
    """A file of an image cannot be read or written."""


class NoUvForBundle(BundleError, code="no-uv-for-bundle"):
    """The vendored directory has no uv, which a bundle brings along."""


class NoBundleLauncher(BundleError, code="no-bundle-launcher"):
    """The program that should open the bundle is not a program of Linux."""


class DamagedBundle(BundleError, code="damaged-bundle"):
    """The bundle is not whole, or a file in it was changed."""


class NoBundleCommand(BundleError, code="no-bundle-command"):
    """A bundle has no such command."""


class BundleIo(BundleError, code="bundle-io"):
    """The bundle cannot be read, written or unpacked."""


class RegistryOffline(ImageError, code="registry-offline"):
    """An image is in a registry, and the network must not be used."""

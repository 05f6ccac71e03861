"""The monorepo and its operations."""

from __future__ import annotations

import functools
import inspect
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from uvenv import _progress, _uvenv, _variables
from uvenv._mapping import FrozenMapping
from uvenv._reports import (
    RENDERERS,
    BackendsReport,
    BundleReport,
    CheckReport,
    DetectionReport,
    DiffReport,
    EnvReport,
    ImageReport,
    ImportReport,
    KernelReport,
    KernelsReport,
    LockReport,
    PromoteReport,
    SbomReport,
    SetUpReport,
    StatusReport,
    SyncPlanned,
    SyncReport,
    Value,
    VendorReport,
    VerifyReport,
)

if TYPE_CHECKING:
    from collections.abc import Generator


def _rendered(report: Value) -> str | None:
    # Only notebooks need it.
    from uvenv import _html

    return _html.render(report)


RENDERERS.append(_rendered)

P = ParamSpec("P")
R = TypeVar("R")

LAUNCHER = [sys.executable, "-m", "uvenv"]
"""The command that starts the command line of this installation, without arguments."""

# With arguments that only its caller knows.
_run: Callable[..., subprocess.CompletedProcess[Any]] = subprocess.run

_LOG = logging.getLogger("uvenv")

Names = str | Iterable[str]
"""One name or several."""


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A git source of a manifest, `{ git = URL, tag = TAG }`.

    Attributes:
        url: The repository, without secrets.
        tag: The tag.
        branch: The branch.
        rev: The revision.
        subdirectory: The package's directory in the repository.
        commit: The commit in the lockfile, if the lockfile has this pin.
    """

    url: str
    tag: str | None = None
    branch: str | None = None
    rev: str | None = None
    subdirectory: str | None = None
    commit: str | None = None


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A profile: `dev`, `staging` or `prod`.

    Attributes:
        name: Its name.
        manifest: Its manifest.
        lockfile: Its lockfile, which may not exist.
        environment: Its environment, which may not exist; with one environment per backend, the one without a backend.
        backends: Its backends.
        pins: The packages that come from git, by name.
    """

    name: str
    manifest: Path
    lockfile: Path
    environment: Path
    backends: tuple[str, ...] = ()
    pins: Mapping[str, Pin] = field(default_factory=lambda: FrozenMapping[Pin]({}))


@dataclass(frozen=True)
class Monorepo:
    """A monorepo. Nothing is cached: each call reads its files again.

    Use `Monorepo.discover` to create one.

    Attributes:
        root: The directory of the dev manifest.
        directory: The directory in which the search started. A call without a profile uses the one in `UVENV_PROFILE`,
            or else the one of this directory: staging in `staging/`, prod in `prod/`, dev elsewhere.

    Example:
        >>> repo = uvenv.Monorepo.discover()
        >>> list(repo.profiles)
        ['dev', 'staging', 'prod']
        >>> repo.sync("prod", backend="cu124").changed
        True
        >>> repo.sync("prod", backend="cu124").changed
        False
    """

    root: Path
    directory: Path

    @staticmethod
    def discover(path: str | os.PathLike[str] | None = None) -> Monorepo:
        """Finds the monorepo that a path belongs to.

        Args:
            path: Any directory in it, or a manifest; defaults to the current directory.

        Returns:
            The monorepo.

        Raises:
            NoMonorepo: The path is not in a monorepo.
            ManifestError: Its manifest or its configuration is wrong.

        Example:
            >>> uvenv.Monorepo.discover("packages") == uvenv.Monorepo.discover()
            False
            >>> uvenv.Monorepo.discover("packages").root == uvenv.Monorepo.discover().root
            True
        """
        found = _uvenv.discover(Path.cwd() if path is None else path)
        return Monorepo(Path(found["root"]), Path(found["directory"]))

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """The existing profiles, by name, dev first.

        Returns:
            The profiles as the manifests and lockfiles describe them now.

        Raises:
            ManifestError: A manifest is wrong.
            LockfileError: A lockfile cannot be read.

        Example:
            >>> uvenv.Monorepo.discover().profiles["prod"].pins["bench-utils"].tag
            'v0.1.2'
        """
        found = _uvenv.profiles(_Call(self.directory))
        return FrozenMapping({profile["profile"]: _profile(profile) for profile in found})

    def lock(
        self,
        profile: str | None = None,
        *,
        locked: bool = False,
        upgrade: bool = False,
        upgrade_package: Names = (),
        dry_run: bool = False,
        offline: bool = False,
        progress: bool | None = None,
    ) -> LockReport:
        """Creates, updates or checks the lockfile of a profile.

        Args:
            profile: The profile: dev, staging or prod.
            locked: Only check that the lockfile satisfies the manifest.
            upgrade: Upgrade all packages to their newest versions.
            upgrade_package: Upgrade these packages, each with or without a version specifier.
            dry_run: Do not write anything.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            What was done.

        Raises:
            StaleLockfile: With `locked`, the lockfile does not satisfy the manifest.
            MissingTag: A pin's tag is not in its repository.
            UvFailed: uv failed, for example because there is no solution.

        Example:
            >>> repo = uvenv.Monorepo.discover()
            >>> repo.lock("staging", locked=True).changed
            False
        """
        request = {
            "locked": locked,
            "upgrade": upgrade,
            "upgrade_package": _names(upgrade_package),
            "dry_run": dry_run,
        }
        with _followed(self.directory, profile, offline, progress) as call:
            return LockReport.from_dict(_uvenv.lock(call, request))

    def sync(
        self,
        profile: str | None = None,
        *,
        backend: str | None = None,
        features: Names = (),
        all_features: bool = False,
        no_default_features: bool = False,
        crate: Names = (),
        workspace: bool = False,
        exclude: Names = (),
        frozen: bool = False,
        locked: bool = False,
        allow_stale: bool = False,
        extra: Names = (),
        group: Names = (),
        no_default_groups: bool = False,
        package: Names = (),
        all_packages: bool = False,
        python: str | os.PathLike[str] | None = None,
        release: bool = False,
        debug: bool = False,
        recreate: bool = False,
        vendored: str | os.PathLike[str] | None = None,
        uv_args: Iterable[str] = (),
        offline: bool = False,
        progress: bool | None = None,
    ) -> SyncReport:
        """Brings a profile's environment up to date with its lockfile.

        For dev, the lockfile is updated if needed, as `uv sync` does. For staging and prod, the lockfile is never
        changed: if it does not satisfy the manifest, the call fails.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backend: a name, `auto` (chosen to fit the GPU driver) or `none`.
            features: Cargo features to activate, one of which selects the backend.
            all_features: Activate all features of the selected crates.
            no_default_features: Do not activate `default` features of the selected crates.
            crate: The crates whose features select the backend.
            workspace: Use all crates of the Cargo workspace.
            exclude: Crates to exclude.
            frozen: Do not update the lockfile; in staging and prod, its pins must be those of the manifest.
            locked: Fail if the lockfile does not satisfy the manifest.
            allow_stale: With `frozen`: install from the lockfile even if its pins differ from the manifest's.
            extra: Extras to install.
            group: Dependency groups to install.
            no_default_groups: Do not install the default dependency groups.
            package: Python packages of the workspace to install instead of the root.
            all_packages: Install all Python packages of the workspace.
            python: Python for the environment: a version or a path.
            release: Build native packages with Cargo's release profile.
            debug: Build native packages with Cargo's dev profile.
            recreate: Recreate the environment, for example if it is broken; if that fails, the old one is kept.
            vendored: A directory made by `vendor` to install from, without index and git; defaults to `UVENV_VENDORED`.
            uv_args: Arguments to pass to uv unchanged.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            What was done.

        Raises:
            BackendRequired: The profile has backends, and none is selected.
            StaleLockfile: The lockfile does not satisfy the manifest.
            BrokenEnvironment: The environment is damaged; `recreate=True` fixes it.
            UvFailed: uv failed.

        Example:
            >>> report = uvenv.Monorepo.discover().sync("prod", backend="cu124")
            >>> [one.version for one in report.installed if one.name == "bench-utils"]
            ['0.1.2']
        """
        with _followed(self.directory, profile, offline, progress) as call:
            return SyncReport.from_dict(_uvenv.sync(call, _selection(locals())))

    def plan(
        self,
        profile: str | None = None,
        *,
        backend: str | None = None,
        features: Names = (),
        all_features: bool = False,
        no_default_features: bool = False,
        crate: Names = (),
        workspace: bool = False,
        exclude: Names = (),
        frozen: bool = False,
        locked: bool = False,
        allow_stale: bool = False,
        extra: Names = (),
        group: Names = (),
        no_default_groups: bool = False,
        package: Names = (),
        all_packages: bool = False,
        python: str | os.PathLike[str] | None = None,
        release: bool = False,
        debug: bool = False,
        recreate: bool = False,
        uv_args: Iterable[str] = (),
        offline: bool = False,
        progress: bool | None = None,
    ) -> SyncPlanned:
        """Reports what `sync` would do with the same arguments, without changing anything.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backend: a name, `auto` (chosen to fit the GPU driver) or `none`.
            features: Cargo features to activate, one of which selects the backend.
            all_features: Activate all features of the selected crates.
            no_default_features: Do not activate `default` features of the selected crates.
            crate: The crates whose features select the backend.
            workspace: Use all crates of the Cargo workspace.
            exclude: Crates to exclude.
            frozen: Do not update the lockfile; in staging and prod, its pins must be those of the manifest.
            locked: Fail if the lockfile does not satisfy the manifest.
            allow_stale: With `frozen`: install from the lockfile even if its pins differ from the manifest's.
            extra: Extras to install.
            group: Dependency groups to install.
            no_default_groups: Do not install the default dependency groups.
            package: Python packages of the workspace to install instead of the root.
            all_packages: Install all Python packages of the workspace.
            python: Python for the environment: a version or a path.
            release: Build native packages with Cargo's release profile.
            debug: Build native packages with Cargo's dev profile.
            recreate: Recreate the environment, for example if it is broken; if that fails, the old one is kept.
            uv_args: Arguments to pass to uv unchanged.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            What would be done.

        Raises:
            BackendRequired: The profile has backends, and none is selected.
            StaleLockfile: The lockfile does not satisfy the manifest.
            UvFailed: uv failed.

        Example:
            >>> plan = uvenv.Monorepo.discover().plan("prod", backend="cu124")
            >>> plan.backend, plan.recreate
            ('cu124', False)
        """
        with _followed(self.directory, profile, offline, progress) as call:
            return SyncPlanned.from_dict(_uvenv.plan(call, _selection(locals())))

    def run(
        self,
        /,
        command: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        profile: str | None = None,
        *,
        no_sync: bool = False,
        backend: str | None = None,
        features: Names = (),
        all_features: bool = False,
        no_default_features: bool = False,
        crate: Names = (),
        workspace: bool = False,
        exclude: Names = (),
        frozen: bool = False,
        locked: bool = False,
        allow_stale: bool = False,
        extra: Names = (),
        group: Names = (),
        no_default_groups: bool = False,
        package: Names = (),
        all_packages: bool = False,
        python: str | os.PathLike[str] | None = None,
        release: bool = False,
        debug: bool = False,
        recreate: bool = False,
        vendored: str | os.PathLike[str] | None = None,
        offline: bool = False,
        progress: bool | None = None,
        env: Mapping[str, str] | None = None,
        **subprocess_arguments: Any,
    ) -> subprocess.CompletedProcess[Any]:
        """Brings an environment up to date and runs a command in it.

        The environment keeps the backend of its last sync, and any packages that are not in the lockfile.

        Args:
            command: The command and its arguments. A Python script is run with the environment's Python.
            profile: The profile: dev, staging or prod.
            no_sync: Do not sync the environment first.
            backend: The GPU backend: a name, `auto` (chosen to fit the GPU driver) or `none`.
            features: Cargo features to activate, one of which selects the backend.
            all_features: Activate all features of the selected crates.
            no_default_features: Do not activate `default` features of the selected crates.
            crate: The crates whose features select the backend.
            workspace: Use all crates of the Cargo workspace.
            exclude: Crates to exclude.
            frozen: Do not update the lockfile; in staging and prod, its pins must be those of the manifest.
            locked: Fail if the lockfile does not satisfy the manifest.
            allow_stale: With `frozen`: install from the lockfile even if its pins differ from the manifest's.
            extra: Extras to install.
            group: Dependency groups to install.
            no_default_groups: Do not install the default dependency groups.
            package: Python packages of the workspace to install instead of the root.
            all_packages: Install all Python packages of the workspace.
            python: Python for the environment: a version or a path.
            release: Build native packages with Cargo's release profile.
            debug: Build native packages with Cargo's dev profile.
            recreate: Recreate the environment, for example if it is broken; if that fails, the old one is kept.
            vendored: A directory made by `vendor` to install from, without index and git; defaults to `UVENV_VENDORED`.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.
            env: The environment variables to start from; defaults to those of this process.
            **subprocess_arguments: Arguments of `subprocess.run`: `check`, `capture_output`, `text`, `cwd`, …

        Returns:
            What `subprocess.run` returns.

        Raises:
            MissingEnvironment: There is no environment, and `no_sync` is given.
            CommandNotStarted: The command does not exist.

        Example:
            >>> repo = uvenv.Monorepo.discover()
            >>> done = repo.run(["python", "-c", "import bench_utils"], "prod", backend="cu124")
            >>> done.returncode
            0
        """
        wanted = [command] if isinstance(command, (str, os.PathLike)) else command
        variables = _variables.current() if env is None else dict(env)
        with _followed(self.directory, profile, offline, progress) as call:
            selection = _selection({**locals(), "uv_args": ()})
            words, changes = _uvenv.run(call, selection, [os.fspath(word) for word in wanted], no_sync, variables)
        for name, value in changes.items():
            if value is None:
                variables.pop(name, None)
            else:
                variables[name] = value
        try:
            return _run(words, env=variables, **subprocess_arguments)
        except OSError as error:
            if error.filename is not None and error.filename == subprocess_arguments.get("cwd"):
                raise
            from uvenv._errors import CommandNotStarted

            message = f"`{words[0]}` could not be started: {error.strerror}"
            way_out = "check that the program is installed in the environment or on `PATH`"
            text = f"error[{CommandNotStarted.code}]: {message}\n |\n = help: {way_out}"
            raise CommandNotStarted(message, text=text, help=way_out) from error

    def env(self, profile: str | None = None, *, backend: str | None = None) -> EnvReport:
        """Returns the variables that make programs use an environment. The environment is not synced first.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backend that the environment must have, or whose environment is meant.

        Returns:
            The variables.

        Raises:
            MissingEnvironment: There is no environment.

        Example:
            >>> repo = uvenv.Monorepo.discover()
            >>> _ = repo.sync("prod", backend="cu124")
            >>> {one.name: one.value for one in repo.env("prod").variables}["UVENV_BACKEND"]
            'cu124'
        """
        with _followed(self.directory, profile) as call:
            return EnvReport.from_dict(_uvenv.env(call, backend))

    def activate(self, profile: str | None = None, *, backend: str | None = None) -> ImportReport:
        """Makes the packages of an environment importable in the running interpreter.

        The environment is not synced first. Its Python must have the same version as the running one. Its packages,
        including the editable ones of the workspace, take precedence over those of the running interpreter. A later
        call replaces this one.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backend that the environment must have, or whose environment is meant.

        Returns:
            Where the packages are imported from.

        Raises:
            OtherPython: The environment's Python is not compatible with the running interpreter.
            MissingEnvironment: There is no environment.

        Warns:
            ActivationWarning: Some modules are already imported from elsewhere.

        Example:
            >>> import sys
            >>> repo = uvenv.Monorepo.discover()
            >>> _ = repo.sync("prod", backend="cu124", python=sys.executable)
            >>> repo.activate("prod").backend
            'cu124'
        """
        return _activated(self, profile, backend)

    def install_kernel(
        self,
        profile: str | None = None,
        *,
        name: str | None = None,
        display_name: str | None = None,
        prefix: str | os.PathLike[str] | None = None,
        backend: str | None = None,
        features: Names = (),
        all_features: bool = False,
        no_default_features: bool = False,
        crate: Names = (),
        workspace: bool = False,
        exclude: Names = (),
        frozen: bool = False,
        locked: bool = False,
        allow_stale: bool = False,
        extra: Names = (),
        group: Names = (),
        no_default_groups: bool = False,
        package: Names = (),
        all_packages: bool = False,
        python: str | os.PathLike[str] | None = None,
        release: bool = False,
        debug: bool = False,
        recreate: bool = False,
        uv_args: Iterable[str] = (),
        offline: bool = False,
        progress: bool | None = None,
    ) -> KernelReport:
        """Installs a Jupyter kernel that always starts in a profile's environment, with its backend and variables.

        It brings the environment up to date first.

        Args:
            profile: The profile: dev, staging or prod.
            name: The name of the kernel; defaults to `PROJECT-PROFILE-BACKEND`.
            display_name: The name that notebooks show.
            prefix: The environment or directory in whose `share/jupyter` to install it; defaults to the user's own.
            backend: The GPU backend: a name, `auto` (chosen to fit the GPU driver) or `none`.
            features: Cargo features to activate, one of which selects the backend.
            all_features: Activate all features of the selected crates.
            no_default_features: Do not activate `default` features of the selected crates.
            crate: The crates whose features select the backend.
            workspace: Use all crates of the Cargo workspace.
            exclude: Crates to exclude.
            frozen: Do not update the lockfile; in staging and prod, its pins must be those of the manifest.
            locked: Fail if the lockfile does not satisfy the manifest.
            allow_stale: With `frozen`: install from the lockfile even if its pins differ from the manifest's.
            extra: Extras to install.
            group: Dependency groups to install.
            no_default_groups: Do not install the default dependency groups.
            package: Python packages of the workspace to install instead of the root.
            all_packages: Install all Python packages of the workspace.
            python: Python for the environment: a version or a path.
            release: Build native packages with Cargo's release profile.
            debug: Build native packages with Cargo's dev profile.
            recreate: Recreate the environment, for example if it is broken; if that fails, the old one is kept.
            uv_args: Arguments to pass to uv unchanged.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            What was installed, and where.

        Raises:
            MissingIpykernel: The environment has no `ipykernel`.
            UvFailed: uv failed.

        Example:
            >>> repo = uvenv.Monorepo.discover()
            >>> kernel = repo.install_kernel("dev", backend="cu124", prefix="jupyter")
            Traceback (most recent call last):
            uvenv.MissingIpykernel: ...
        """
        with _followed(self.directory, profile, offline, progress) as call:
            kernel = {"name": name, "display_name": display_name, "prefix": _path(prefix), "launcher": LAUNCHER}
            return KernelReport.from_dict(_uvenv.install_kernel(call, _selection(locals()), kernel))

    def status(self) -> StatusReport:
        """Reports the state of the profiles: manifests, lockfiles, environments, internal packages.

        Returns:
            A report that is shown as a table in a notebook and in a terminal.

        Example:
            >>> uvenv.Monorepo.discover().status().profiles[0].lockfile.state
            'fresh'
        """
        with _followed(self.directory) as call:
            plain, text = _uvenv.status(call)
        return StatusReport.from_dict(plain).with_text(text)

    def backends(self) -> BackendsReport:
        """Lists the GPU backends of the profiles, and the Cargo features that select them.

        Returns:
            A report that is shown as a table in a terminal.

        Raises:
            ManifestError: A manifest is wrong.

        Example:
            >>> [one.name for one in uvenv.Monorepo.discover().backends().profiles[0].backends]
            ['cu124', 'cu128']
        """
        with _followed(self.directory) as call:
            plain, text = _uvenv.backends(call)
        return BackendsReport.from_dict(plain).with_text(text)

    def check(
        self,
        profile: Names = (),
        *,
        remote: bool = False,
        deny: Names = (),
        warn: Names = (),
        allow: Names = (),
        fix: bool = False,
        dry_run: bool = False,
        offline: bool = False,
        progress: bool | None = None,
    ) -> CheckReport:
        """Finds contradictions, drift, and packages that will not install.

        Reads manifests and lockfiles. Findings do not raise exceptions: the report counts the errors.

        Args:
            profile: The profiles to check; defaults to all.
            remote: Also ask the git remotes whether they have the tags, and which commits these point to.
            deny: Codes of findings to treat as errors.
            warn: Codes of findings to treat as warnings.
            allow: Codes of findings to ignore.
            fix: Fix findings that have exactly one correct fix.
            dry_run: With `fix`, report the fixes without writing anything.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            All findings.

        Raises:
            UnknownCode: No finding has such a code.
            UnknownProfile: The monorepo has no such profile.
            NoNetwork: `remote` is given, but network access is disabled.
            NotWritable: With `fix`, a manifest cannot be replaced.

        Example:
            >>> report = uvenv.Monorepo.discover().check()
            >>> report.errors, report.findings
            (0, ())
        """
        request = {
            "profile": _names(profile),
            "remote": remote,
            "deny": _names(deny),
            "warn": _names(warn),
            "allow": _names(allow),
            "fix": fix,
            "dry_run": dry_run,
        }
        with _followed(self.directory, None, offline, progress) as call:
            plain, text = _uvenv.check(call, request)
        return CheckReport.from_dict(plain).with_text(text)

    def promote(
        self,
        packages: Names = (),
        *,
        to: str,
        pre: bool = False,
        exact: bool = False,
        from_local: bool = False,
        dry_run: bool = False,
        commit: bool = False,
        branch: bool | str = False,
        progress: bool | None = None,
    ) -> PromoteReport:
        """Pins newer releases of internal packages in staging or prod, and locks the profile with them.

        Picks the newest matching tag of each package: dev-releases for staging, stable releases for prod. If anything
        fails or is interrupted, the manifest and the lockfile are left as they were.

        Args:
            packages: Packages: `PKG` for the newest matching tag, or `PKG=TAG`; defaults to all packages.
            to: The profile: staging or prod.
            pre: Allow pre-releases.
            exact: Use the stable releases of what staging has, instead of the newest.
            from_local: Use the tags of the checkouts that dev uses; the remotes must have them too.
            dry_run: Report what would be pinned without writing anything.
            commit: Commit the manifest and the lockfile to git; nothing else may be staged.
            branch: Commit to this branch instead of changing the files; with `True`, to `uvenv/promote-to-PROFILE`.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            The outcome for each package.

        Raises:
            ReleaseError: A release cannot be pinned; the subclass says why.
            MissingTag: The remote does not have the tag.
            UnreachableRemote: A git remote does not answer.
            UvFailed: uv cannot lock the profile with the new pins.

        Example:
            >>> report = uvenv.Monorepo.discover().promote("bench-utils", to="prod", dry_run=True)
            >>> [(package.name, package.outcome) for package in report.packages]
            [('bench-utils', 'unchanged')]
        """
        request = {
            "to": to,
            "packages": _names(packages),
            "pre": pre,
            "exact": exact,
            "from_local": from_local,
            "dry_run": dry_run,
            "commit": commit,
            "branch": branch if isinstance(branch, str) else "" if branch else None,
        }
        with _followed(self.directory, None, False, progress) as call:
            plain, text = _uvenv.promote(call, request)
        return PromoteReport.from_dict(plain).with_text(text)

    def init(self, *, git: str | None = None, offline: bool = False, progress: bool | None = None) -> SetUpReport:
        """Writes staging and prod manifests, and related files, for a repository that has only a dev manifest.

        They have the metadata, dependencies, backends, indexes and conflicts of dev, and pin each internal package to
        its newest matching tag. Existing content is never overwritten: a second call changes nothing.

        Args:
            git: The git repository with the packages, laid out as in this one; defaults to the remote of each package's
                checkout.
            offline: Disable network access. No package can then be pinned.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            What was written and pinned, and what could not be determined.

        Raises:
            NotWritable: A file cannot be written; no file is changed.

        Example:
            >>> uvenv.Monorepo.discover().init().pins
            ()
        """
        with _followed(self.directory, None, offline, progress) as call:
            return SetUpReport.from_dict(_uvenv.init(call, git))

    def add_package(
        self,
        path: str | os.PathLike[str],
        *,
        git: str | None = None,
        offline: bool = False,
        progress: bool | None = None,
    ) -> SetUpReport:
        """Adds an internal package to all profiles.

        In dev, it becomes a workspace member and a dependency. Staging and prod pin it to its newest matching tag.

        Args:
            path: The directory of the package.
            git: The git repository with the package, laid out as in this one; defaults to the remote of its checkout.
            offline: Disable network access. No package can then be pinned.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            What was written and pinned, and what could not be determined.

        Raises:
            OutsideMonorepo: The directory is not in the monorepo.
            ManifestError: The package's manifest is wrong or missing.

        Example:
            >>> uvenv.Monorepo.discover().add_package("packages/bench-utils").written
            ()
        """
        with _followed(self.directory, None, offline, progress) as call:
            return SetUpReport.from_dict(_uvenv.add_package(call, os.fspath(Path.cwd() / path), git))

    def diff(self, a: str, b: str | None = None) -> DiffReport:
        """Compares two profiles, or a profile now and at a git revision.

        Args:
            a: The first side: a profile, or a profile at a revision such as `prod@v1.0`; or both sides as `A..B`.
            b: The second side; defaults to the current state of the profile if `a` names a revision.

        Returns:
            The differences: internal packages, other packages, backends, Python.

        Raises:
            InvalidComparison: A side is not a profile, or both sides are the same.
            UnknownRevision: The git repository has no such revision.
            NotAtRevision: The profile does not exist at the revision.
            UnknownProfile: The monorepo has no such profile.

        Example:
            >>> report = uvenv.Monorepo.discover().diff("staging", "prod")
            >>> [(one.name, one.from_.reference, one.to.reference) for one in report.internal][0]
            ('bench-utils', 'v0.1.2.dev0', 'v0.1.2')
        """
        with _followed(self.directory) as call:
            plain, text = _uvenv.diff(call, a, b)
        return DiffReport.from_dict(plain).with_text(text)

    def verify(
        self,
        profile: str | None = None,
        *,
        backend: str | None = None,
        fast: bool = False,
        vendored: str | os.PathLike[str] | None = None,
        offline: bool = False,
        progress: bool | None = None,
    ) -> VerifyReport:
        """Compares an environment with its lockfile, and each file with the list of its distribution.

        Nothing is changed. Differences do not raise exceptions: the report lists them.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backend that the environment must have, or whose environment is meant.
            fast: Trust files that have the right size and are older than the installation.
            vendored: Compare with the wheels in this directory, which `vendor` has made.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            The differences.

        Raises:
            MissingEnvironment: There is no environment.
            OtherBackend: The environment has another backend.

        Example:
            >>> repo = uvenv.Monorepo.discover()
            >>> _ = repo.sync("prod", backend="cu124")
            >>> repo.verify("prod").differences
            ()
        """
        with _followed(self.directory, profile, offline, progress) as call:
            plain, text = _uvenv.verify(call, backend, fast, _path(vendored))
        return VerifyReport.from_dict(plain).with_text(text)

    def vendor(
        self,
        profile: str | None = None,
        *,
        backend: Names = (),
        python: Names = (),
        platform: Names = (),
        with_uv: bool = False,
        with_build_requirements: bool = False,
        output: str | os.PathLike[str] = "vendored",
        offline: bool = False,
        progress: bool | None = None,
    ) -> VendorReport:
        """Puts everything that an environment needs into one directory: a PEP 751 lock, and its wheels.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backends to vendor; each gets a lock of its own.
            python: The Pythons to vendor for, by version or path; defaults to the one that `sync` would use.
            platform: The platforms to vendor for, by uv's names, such as `aarch64-manylinux_2_28`; defaults to this
                machine's.
            with_uv: Whether to vendor uv itself too, for machines without it.
            with_build_requirements: Whether to vendor what the builds require too, so that they can be repeated
                without an index.
            output: The directory to write: new, empty, or of an earlier call. Relative to the current directory.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            What the directory has, and what was downloaded and built.

        Raises:
            BackendRequired: The profile has backends, and none is selected.
            StaleLockfile: The lockfile does not satisfy the manifest.
            CannotVendor: A package has no form that can be vendored.
            DownloadFailed: Files could not be downloaded.
            WheelBuildFailed: The wheel of a package could not be built.
            NotAVendoredDirectory: The directory has something else in it.

        Example:
            >>> report = uvenv.Monorepo.discover().vendor("prod", backend="cu124", output="vendored")
            >>> [lock.file for lock in report.locks]
            ['pylock.toml']
        """
        directory = Path(output).absolute()
        with _followed(self.directory, profile, offline, progress) as call:
            more = (with_uv, with_build_requirements)
            plain = _uvenv.vendor(call, _names(backend), _names(python), _names(platform), more, str(directory))
        return VendorReport.from_dict(plain)

    def image(
        self,
        profile: str | None = None,
        *,
        base: str | os.PathLike[str],
        backend: str | None = None,
        vendored: str | os.PathLike[str] | None = None,
        python: str | None = None,
        tag: str | None = None,
        output: str | os.PathLike[str] | None = None,
        push: str | None = None,
        workdir: str = "/app",
        user: str | None = None,
        entrypoint: Sequence[str] = (),
        compression: Literal["gzip", "zstd"] = "gzip",
        offline: bool = False,
        progress: bool | None = None,
    ) -> ImageReport:
        """Makes a container image with the environment of a profile, without a container engine.

        Args:
            profile: The profile: dev, staging or prod.
            base: The base image: an OCI layout, an archive of one, a root file system as a tar file, or a name in a
                registry.
            backend: The GPU backend.
            vendored: The directory to install from, which `vendor` has made; defaults to `UVENV_VENDORED`, then to
                `vendored`.
            python: A Python of this machine to install with, of the version in the base, by version or path; defaults
                to one that uv finds.
            tag: The name of the image, such as `app:1.0`.
            output: The OCI layout to add the image to or, with the extension `.tar`, the archive to write. Relative to
                the current directory.
            push: A name in a registry to push the image to.
            workdir: The directory for the environment, as `.venv`, and the manifest; also the working directory of
                containers.
            user: The user of containers, such as `1000:1000`; defaults to that of the base.
            entrypoint: What containers run; defaults to what the base says.
            compression: How the layers are compressed.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            The digest of the image, and its layers.

        Raises:
            NoVendoredLock: The directory has no lock made by vendoring.
            NoPythonInBase: The base image has no Python for which the directory was vendored.
            RegistryFailed: The base could not be fetched, or the image could not be pushed.

        Example:
            >>> try:
            ...     uvenv.Monorepo.discover().image("prod", base="./missing.tar", backend="cu124", output="app.tar")
            ... except uvenv.ImageError as error:
            ...     print(error.code)
            invalid-image-name
        """
        image = {
            "backend": backend,
            "vendored": _path(vendored),
            "base": os.fspath(base),
            "python": python,
            "tag": tag,
            "output": None if output is None else str(Path(output).absolute()),
            "push": push,
            "workdir": workdir,
            "user": user,
            "entrypoint": list(entrypoint),
            "compression": compression,
        }
        with _followed(self.directory, profile, offline, progress) as call:
            plain = _uvenv.image(call, image)
        return ImageReport.from_dict(plain)

    def bundle(
        self,
        profile: str | None = None,
        *,
        launcher: str | os.PathLike[str],
        output: str | os.PathLike[str],
        backend: str | None = None,
        vendored: str | os.PathLike[str] | None = None,
        offline: bool = False,
        progress: bool | None = None,
    ) -> BundleReport:
        """Makes one file of a vendored profile, which installs itself.

        Args:
            profile: The profile: dev, staging or prod.
            launcher: A `cargo-uvenv` that cargo has installed, for the machines that the bundle is for.
            output: The file to write, relative to the current directory.
            backend: The GPU backend.
            vendored: The directory with the wheels and uv; defaults to `UVENV_VENDORED`, then to `vendored`.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            The file, and the hash of what is in it.

        Raises:
            NoVendoredLock: The directory has no lock made by vendoring.
            NoUvForBundle: The directory has no uv.
            NoBundleLauncher: `launcher` is not a program of Linux.

        Example:
            >>> try:
            ...     repo = uvenv.Monorepo.discover()
            ...     repo.bundle("prod", backend="cu124", vendored="missing", launcher="cargo-uvenv", output="prod.run")
            ... except uvenv.NoVendoredLock as error:
            ...     print(error.code)
            no-vendored-lock
        """
        file = str(Path(output).absolute())
        with _followed(self.directory, profile, offline, progress) as call:
            plain = _uvenv.bundle(call, backend, _path(vendored), os.fspath(launcher), file)
        return BundleReport.from_dict(plain)

    def sbom(
        self,
        profile: str | None = None,
        *,
        backend: str | None = None,
        vendored: str | os.PathLike[str] | None = None,
        output: str | os.PathLike[str] | None = None,
        offline: bool = False,
        progress: bool | None = None,
    ) -> SbomReport:
        """Describes what is installed in an environment, as a CycloneDX 1.6 document.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backend that the environment must have, or whose environment is meant.
            vendored: The environment was synced from this directory, whose wheels have hashes.
            output: The file to write, relative to the current directory; by default, none.
            offline: Disable network access.
            progress: Whether to show progress; by default, only in a terminal or a notebook.

        Returns:
            The document, with a summary.

        Raises:
            MissingEnvironment: There is no environment.
            OutdatedEnvironment: The environment is not what its lockfile says.
            OtherBackend: The environment has another backend.

        Example:
            >>> repo = uvenv.Monorepo.discover()
            >>> _ = repo.sync("prod", backend="cu124")
            >>> document = repo.sbom("prod").document
            >>> [one["name"] for one in document["components"] if "pedigree" in one]
            ['bench-utils', 'model-interface', 'print-utils']
        """
        file = None if output is None else str(Path(output).absolute())
        with _followed(self.directory, profile, offline, progress) as call:
            return SbomReport.from_dict(_uvenv.sbom(call, backend, _path(vendored), file))


def detect_backend() -> DetectionReport:
    """Detects the GPU driver, and reports what `backend="auto"` would choose in the current directory.

    Returns:
        A report that is shown as text.

    Example:
        >>> [one.profile for one in uvenv.detect_backend().auto]
        ['dev', 'staging', 'prod']
    """
    with _followed(Path.cwd()) as call:
        plain, text = _uvenv.detect(call)
    return DetectionReport.from_dict(plain).with_text(text)


def kernels(prefix: str | os.PathLike[str] | None = None) -> KernelsReport:
    """Lists the Jupyter kernels that `install_kernel` has installed.

    Args:
        prefix: The `prefix` that was given to `install_kernel`; by default, all places where Jupyter looks.

    Returns:
        A report that is shown as a table in a terminal.

    Example:
        >>> uvenv.kernels("jupyter").kernels
        ()
    """
    with _followed(Path.cwd()) as call:
        plain, text = _uvenv.list_kernels(call, _path(prefix))
    return KernelsReport.from_dict(plain).with_text(text)


def remove_kernel(name: str, prefix: str | os.PathLike[str] | None = None) -> KernelReport:
    """Removes a Jupyter kernel that `install_kernel` has installed.

    Args:
        name: The name of the kernel.
        prefix: The `prefix` that was given to `install_kernel`; defaults to the user's own kernels.

    Returns:
        What was removed.

    Raises:
        UnknownKernel: There is no kernel with that name.
        NotAUvenvKernel: The kernel was not installed by uvenv.

    Example:
        >>> uvenv.remove_kernel("bench-dev-cu124", prefix="jupyter")
        Traceback (most recent call last):
        uvenv.UnknownKernel: ...
    """
    with _followed(Path.cwd()) as call:
        return KernelReport.from_dict(_uvenv.remove_kernel(call, name, _path(prefix)))


def _here(method: Callable[Concatenate[Monorepo, P], R]) -> Callable[[Callable[[], None]], Callable[P, R]]:
    """Makes a function do what a method does, in the monorepo of the current directory."""

    def decorate(function: Callable[[], None]) -> Callable[P, R]:
        @functools.wraps(method)
        def shortcut(*args: P.args, **kwargs: P.kwargs) -> R:
            # Its root is looked for by the call itself.
            here = Path.cwd()
            return method(Monorepo(here, here), *args, **kwargs)

        signature = inspect.signature(method)
        shortcut.__dict__["__signature__"] = signature.replace(parameters=list(signature.parameters.values())[1:])
        shortcut.__qualname__ = function.__qualname__
        return shortcut

    return decorate


@_here(Monorepo.lock)
def lock() -> None:
    """Calls `Monorepo.lock` on the monorepo of the current directory."""


@_here(Monorepo.sync)
def sync() -> None:
    """Calls `Monorepo.sync` on the monorepo of the current directory."""


@_here(Monorepo.plan)
def plan() -> None:
    """Calls `Monorepo.plan` on the monorepo of the current directory."""


@_here(Monorepo.run)
def run() -> None:
    """Calls `Monorepo.run` on the monorepo of the current directory."""


@_here(Monorepo.env)
def env() -> None:
    """Calls `Monorepo.env` on the monorepo of the current directory."""


@_here(Monorepo.install_kernel)
def install_kernel() -> None:
    """Calls `Monorepo.install_kernel` on the monorepo of the current directory."""


@_here(Monorepo.status)
def status() -> None:
    """Calls `Monorepo.status` on the monorepo of the current directory."""


@_here(Monorepo.backends)
def backends() -> None:
    """Calls `Monorepo.backends` on the monorepo of the current directory."""


@_here(Monorepo.check)
def check() -> None:
    """Calls `Monorepo.check` on the monorepo of the current directory."""


@_here(Monorepo.init)
def init() -> None:
    """Calls `Monorepo.init` on the monorepo of the current directory."""


@_here(Monorepo.add_package)
def add_package() -> None:
    """Calls `Monorepo.add_package` on the monorepo of the current directory."""


@_here(Monorepo.promote)
def promote() -> None:
    """Calls `Monorepo.promote` on the monorepo of the current directory."""


@_here(Monorepo.diff)
def diff() -> None:
    """Calls `Monorepo.diff` on the monorepo of the current directory."""


@_here(Monorepo.vendor)
def vendor() -> None:
    """Calls `Monorepo.vendor` on the monorepo of the current directory."""


@_here(Monorepo.image)
def image() -> None:
    """Calls `Monorepo.image` on the monorepo of the current directory."""


@_here(Monorepo.bundle)
def bundle() -> None:
    """Calls `Monorepo.bundle` on the monorepo of the current directory."""


@_here(Monorepo.sbom)
def sbom() -> None:
    """Calls `Monorepo.sbom` on the monorepo of the current directory."""


@_here(Monorepo.verify)
def verify() -> None:
    """Calls `Monorepo.verify` on the monorepo of the current directory."""


def activate(profile: str | None = None, *, backend: str | None = None) -> ImportReport:
    """Makes the packages of an environment importable in the running interpreter.

    Calls `Monorepo.activate` on the monorepo of the current directory.

    Args:
        profile: The profile: dev, staging or prod.
        backend: The GPU backend that the environment must have, or whose environment is meant.

    Returns:
        Where the packages are imported from.

    Raises:
        OtherPython: The environment's Python is not compatible with the running interpreter.
        MissingEnvironment: There is no environment.

    Warns:
        ActivationWarning: Some modules are already imported from elsewhere.

    Example:
        >>> import sys
        >>> report = uvenv.sync("dev", backend="cu124", python=sys.executable)
        >>> uvenv.activate("dev").environment == report.environment
        True
    """
    # Not `_here`: a warning names the line of the caller.
    return _activated(Monorepo.discover(), profile, backend)


def _activated(repo: Monorepo, profile: str | None, backend: str | None) -> ImportReport:
    """Activates an environment for a public function; warnings point to the caller of that function."""
    from uvenv import _activate

    with _followed(repo.directory, profile) as call:
        report = ImportReport.from_dict(_uvenv.importable(call, backend, _activate.running_python()))
    _activate.apply(report, stacklevel=3)
    return report


class _Display(Protocol):
    def progress(self, event: dict[str, Any]) -> None: ...

    def say(self, line: str) -> None: ...


class _Listener:
    """Passes what the native part reports during a call to the log, and to a display if there is one."""

    def __init__(self, display: _Display | None = None) -> None:
        self._display = display

    def progress(self, event: dict[str, Any]) -> None:
        if self._display is not None:
            self._display.progress(event)

    def say(self, line: str) -> None:
        _LOG.info("%s", line)
        if self._display is not None:
            self._display.say(line)

    def runs(self, command: str) -> None:
        _LOG.debug("Running %s", command)

    def warn(self, problem: dict[str, Any]) -> None:
        place = problem["file"] and "{file}:{line}:{column}: ".format_map(problem)
        way_out = problem["help"] and f" (help: {problem['help']})"
        _LOG.warning("%s%s%s", place or "", problem["message"], way_out or "", extra={"code": problem["code"]})


class _Call:
    """The context of a call of the native part."""

    def __init__(
        self,
        directory: Path,
        profile: str | None = None,
        offline: bool = False,
        display: _Display | None = None,
    ) -> None:
        self.directory = directory
        self.profile = profile
        self.offline = offline
        self.listener = _Listener(display)
        self.commands = _LOG.isEnabledFor(logging.DEBUG)


@contextmanager
def _followed(
    directory: Path, profile: str | None = None, offline: bool = False, progress: bool | None = False
) -> Generator[_Call]:
    """Provides a call, with a progress display if requested."""
    with _progress.observer(progress) as display:
        yield _Call(directory, profile, offline, display)


_FLAGS = (
    *("all_features", "no_default_features", "workspace", "frozen", "locked", "allow_stale", "no_default_groups"),
    *("all_packages", "release", "debug", "recreate"),
)
_NAMES = ("features", "crate", "exclude", "extra", "group", "package", "uv_args")


def _selection(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments that `sync`, `plan` and `run` share, in the form that the native part expects."""
    selection = {name: arguments[name] for name in ("backend", *_FLAGS)}
    selection.update({name: _names(arguments[name]) for name in _NAMES})
    selection["python"] = _path(arguments["python"])
    selection["vendored"] = _path(arguments.get("vendored"))
    return selection


def _path(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)


def _names(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _profile(plain: dict[str, Any]) -> Profile:
    return Profile(
        name=plain["profile"],
        manifest=Path(plain["manifest"]),
        lockfile=Path(plain["lockfile"]),
        environment=Path(plain["environment"]),
        backends=tuple(plain["backends"]),
        pins=FrozenMapping({name: Pin(**pin) for name, pin in plain["pins"].items()}),
    )

"""The monorepo and what can be done with it."""

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
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from uvenv import _progress, _uvenv, _variables
from uvenv._mapping import FrozenMapping
from uvenv._reports import (
    BackendsReport,
    CheckReport,
    DetectionReport,
    DiffReport,
    EnvReport,
    ImportReport,
    KernelReport,
    KernelsReport,
    LockReport,
    PromoteReport,
    SetUpReport,
    StatusReport,
    SyncPlanned,
    SyncReport,
)

if TYPE_CHECKING:
    from collections.abc import Generator

P = ParamSpec("P")
R = TypeVar("R")

LAUNCHER = [sys.executable, "-m", "uvenv"]
"""What starts the command line of this installation, before its arguments."""

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
        commit: The commit in the lockfile, where the lockfile has this pin.
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
        lockfile: Its lockfile, be it there or not.
        environment: Its environment, be it there or not; with one environment per backend, that of no backend.
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
    """A monorepo. Nothing of it is kept: each call reads its files anew.

    Make one with `Monorepo.discover`.

    Attributes:
        root: The directory of the dev manifest.
        directory: The directory where it was looked for. A call that names no profile is about that of `UVENV_PROFILE`,
            else about that in whose directory this is: dev, but for `staging/` and `prod/`.

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
            path: A directory anywhere in it, or a manifest; else the current directory.

        Returns:
            The monorepo.

        Raises:
            NoMonorepo: There is none.
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
        """The profiles that there are, by name, dev first.

        Returns:
            What the manifests and lockfiles say now.

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
        """Makes a profile's lockfile, brings it up to date, or checks it.

        Args:
            profile: The profile: dev, staging or prod.
            locked: Only check that the lockfile satisfies the manifest.
            upgrade: Take the newest versions of all packages.
            upgrade_package: Take the newest version of these, with or without a specifier.
            dry_run: Write nothing.
            offline: Do without the network.
            progress: Whether to show what goes on; else in a terminal and in a notebook.

        Returns:
            What was done.

        Raises:
            StaleLockfile: With `locked`, the lockfile does not satisfy the manifest.
            MissingTag: A pin's tag is not in its repository.
            UvFailed: uv failed, for instance because there is no solution.

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
        uv_args: Iterable[str] = (),
        offline: bool = False,
        progress: bool | None = None,
    ) -> SyncReport:
        """Brings a profile's environment up to date with its lockfile.

        dev is locked when needed, as uv does it. In staging and prod the lockfile is never changed: one that does not
        satisfy its manifest is an error.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backend: its name, `auto` (what the driver runs) or `none`.
            features: Cargo features, one of which is called like a backend.
            all_features: All features of the selected crates.
            no_default_features: Without the `default` feature of the selected crates.
            crate: The crates whose features select the backend.
            workspace: All crates of the Cargo workspace.
            exclude: Crates that are left out.
            frozen: Install what is locked. In staging and prod, pins that differ from the manifest's are an error.
            locked: Fail if the lockfile does not satisfy the manifest.
            allow_stale: With `frozen`: install what is locked even if the manifest's pins are others.
            extra: Extras.
            group: Dependency groups.
            no_default_groups: Without the default groups.
            package: Python packages of the workspace, in place of the root.
            all_packages: All Python packages of the workspace.
            python: The Python for the environment: a version or a path.
            release: Build native packages with Cargo's release profile.
            debug: Build native packages with Cargo's dev profile.
            recreate: Make the environment anew, the way out of a broken one; if that fails, the old one stays.
            uv_args: Passed to uv as they are.
            offline: Do without the network.
            progress: Whether to show what goes on; else in a terminal and in a notebook.

        Returns:
            What was done.

        Raises:
            BackendRequired: The profile has backends, and nothing says which.
            StaleLockfile: The lockfile does not satisfy the manifest.
            BrokenEnvironment: The environment is damaged; `recreate=True` mends it.
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
        """Says what `sync` with the same arguments would do, and changes nothing.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backend: its name, `auto` (what the driver runs) or `none`.
            features: Cargo features, one of which is called like a backend.
            all_features: All features of the selected crates.
            no_default_features: Without the `default` feature of the selected crates.
            crate: The crates whose features select the backend.
            workspace: All crates of the Cargo workspace.
            exclude: Crates that are left out.
            frozen: Install what is locked. In staging and prod, pins that differ from the manifest's are an error.
            locked: Fail if the lockfile does not satisfy the manifest.
            allow_stale: With `frozen`: install what is locked even if the manifest's pins are others.
            extra: Extras.
            group: Dependency groups.
            no_default_groups: Without the default groups.
            package: Python packages of the workspace, in place of the root.
            all_packages: All Python packages of the workspace.
            python: The Python for the environment: a version or a path.
            release: Build native packages with Cargo's release profile.
            debug: Build native packages with Cargo's dev profile.
            recreate: Make the environment anew, the way out of a broken one; if that fails, the old one stays.
            uv_args: Passed to uv as they are.
            offline: Do without the network.
            progress: Whether to show what goes on; else in a terminal and in a notebook.

        Returns:
            What would be done.

        Raises:
            BackendRequired: The profile has backends, and nothing says which.
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
        offline: bool = False,
        progress: bool | None = None,
        env: Mapping[str, str] | None = None,
        **subprocess_arguments: Any,
    ) -> subprocess.CompletedProcess[Any]:
        """Runs a command in an environment, after bringing that up to date.

        The environment keeps the backend of its last sync, and what was installed into it beside the lockfile.

        Args:
            command: The command and its arguments. A Python script is run with the environment's Python.
            profile: The profile: dev, staging or prod.
            no_sync: Take the environment as it is.
            backend: The GPU backend: its name, `auto` (what the driver runs) or `none`.
            features: Cargo features, one of which is called like a backend.
            all_features: All features of the selected crates.
            no_default_features: Without the `default` feature of the selected crates.
            crate: The crates whose features select the backend.
            workspace: All crates of the Cargo workspace.
            exclude: Crates that are left out.
            frozen: Install what is locked. In staging and prod, pins that differ from the manifest's are an error.
            locked: Fail if the lockfile does not satisfy the manifest.
            allow_stale: With `frozen`: install what is locked even if the manifest's pins are others.
            extra: Extras.
            group: Dependency groups.
            no_default_groups: Without the default groups.
            package: Python packages of the workspace, in place of the root.
            all_packages: All Python packages of the workspace.
            python: The Python for the environment: a version or a path.
            release: Build native packages with Cargo's release profile.
            debug: Build native packages with Cargo's dev profile.
            recreate: Make the environment anew, the way out of a broken one; if that fails, the old one stays.
            offline: Do without the network.
            progress: Whether to show what goes on; else in a terminal and in a notebook.
            env: The variables that the command would see without the environment; else our own.
            **subprocess_arguments: Passed to `subprocess.run`: `check`, `capture_output`, `text`, `cwd`, …

        Returns:
            What `subprocess.run` returns.

        Raises:
            MissingEnvironment: With `no_sync`, there is no environment.
            CommandNotStarted: The command is not there.

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
        """Says what programs must see to use an environment. The environment is taken as it is.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backend, where there is one environment for each.

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
        """Makes the packages of an environment importable in the interpreter that runs.

        The environment is taken as it is. Its Python has to be of our version; then its packages come before our own,
        the editable ones of the workspace included. Another call takes the place of this one.

        Args:
            profile: The profile: dev, staging or prod.
            backend: The GPU backend, where there is one environment for each.

        Returns:
            Where the packages are imported from.

        Raises:
            OtherPython: The environment's Python does not fit the one that runs.
            MissingEnvironment: There is no environment.

        Warns:
            ActivationWarning: Modules are imported already, from elsewhere.

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

        The environment is brought up to date first.

        Args:
            profile: The profile: dev, staging or prod.
            name: The kernel's name; else one made of the project's, the profile's and the backend's.
            display_name: What notebooks show.
            prefix: The environment or directory into whose `share/jupyter` it is installed; else the user's own.
            backend: The GPU backend: its name, `auto` (what the driver runs) or `none`.
            features: Cargo features, one of which is called like a backend.
            all_features: All features of the selected crates.
            no_default_features: Without the `default` feature of the selected crates.
            crate: The crates whose features select the backend.
            workspace: All crates of the Cargo workspace.
            exclude: Crates that are left out.
            frozen: Install what is locked. In staging and prod, pins that differ from the manifest's are an error.
            locked: Fail if the lockfile does not satisfy the manifest.
            allow_stale: With `frozen`: install what is locked even if the manifest's pins are others.
            extra: Extras.
            group: Dependency groups.
            no_default_groups: Without the default groups.
            package: Python packages of the workspace, in place of the root.
            all_packages: All Python packages of the workspace.
            python: The Python for the environment: a version or a path.
            release: Build native packages with Cargo's release profile.
            debug: Build native packages with Cargo's dev profile.
            recreate: Make the environment anew, the way out of a broken one; if that fails, the old one stays.
            uv_args: Passed to uv as they are.
            offline: Do without the network.
            progress: Whether to show what goes on; else in a terminal and in a notebook.

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
        """Says how the profiles stand: manifests, lockfiles, environments, internal packages.

        Returns:
            A report that is a table in a notebook and in a terminal.

        Example:
            >>> uvenv.Monorepo.discover().status().profiles[0].lockfile.state
            'fresh'
        """
        with _followed(self.directory) as call:
            plain, text = _uvenv.status(call)
        return StatusReport.from_dict(plain).with_text(text)

    def backends(self) -> BackendsReport:
        """Says which GPU backends the profiles have, and the Cargo features that select them.

        Returns:
            A report that is a table in a terminal.

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
        """Finds what contradicts itself, drifts apart or will not install.

        Looks at manifests and lockfiles. Findings are no exceptions: the report says how many are errors.

        Args:
            profile: The profiles to look at; else all.
            remote: Ask the git remotes too: whether they have the tags, and where these lead.
            deny: Codes of findings that are errors.
            warn: Codes of findings that are warnings.
            allow: Codes of findings that are not told.
            fix: Mend what has one right answer.
            dry_run: With `fix`, say what would be mended, and write nothing.
            offline: Do without the network.
            progress: Whether to show what goes on; else in a terminal and in a notebook.

        Returns:
            All findings.

        Raises:
            UnknownCode: There is no finding of such a code.
            UnknownProfile: The monorepo has no such profile.
            NoNetwork: With `remote`, the network is not to be used.
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
        progress: bool | None = None,
    ) -> PromoteReport:
        """Pins newer releases of internal packages in staging or prod, and locks the profile with these.

        Takes the newest tag of each package that fits the profile: dev-releases for staging, stable releases for prod.
        If anything fails or is interrupted, the manifest and the lockfile are as before.

        Args:
            packages: Packages, `PKG` with the newest tag that fits or `PKG=TAG` with that one; else all.
            to: The profile: staging or prod.
            pre: Take pre-releases too.
            exact: Take the stable releases of what staging has, in place of the newest.
            from_local: Take the tags of the checkouts that dev uses; the remotes must have them too.
            dry_run: Say what would be pinned, and write nothing.
            commit: Commit the manifest and the lockfile to git; nothing else may be staged.
            progress: Whether to show what goes on; else in a terminal and in a notebook.

        Returns:
            What became of each package.

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
        }
        with _followed(self.directory, None, False, progress) as call:
            plain, text = _uvenv.promote(call, request)
        return PromoteReport.from_dict(plain).with_text(text)

    def init(self, *, git: str | None = None, offline: bool = False, progress: bool | None = None) -> SetUpReport:
        """Writes the staging and prod manifests of a repository that has dev's only, and what goes with them.

        They have the metadata, dependencies, backends, indexes and conflicts of dev, and pin each internal package to
        its newest tag that fits. What is there is never overwritten: a second call changes nothing.

        Args:
            git: The git repository that has the packages, each in the directory where it lies here; else that of its
                checkout.
            offline: Do without the network. Nothing can be pinned then.
            progress: Whether to show what goes on; else in a terminal and in a notebook.

        Returns:
            What was written and pinned, and what could not be known.

        Raises:
            NotWritable: A file cannot be written; none is then.

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
        """Puts an internal package into all profiles.

        It becomes a member of the workspace and a dependency in dev; staging and prod pin it to its newest tag that
        fits.

        Args:
            path: Its directory.
            git: The git repository that has it, in the directory where it lies here; else that of its checkout.
            offline: Do without the network. Nothing can be pinned then.
            progress: Whether to show what goes on; else in a terminal and in a notebook.

        Returns:
            What was written and pinned, and what could not be known.

        Raises:
            OutsideMonorepo: The directory is not in the monorepo.
            ManifestError: The package's manifest is wrong, or not there.

        Example:
            >>> uvenv.Monorepo.discover().add_package("packages/bench-utils").written
            ()
        """
        with _followed(self.directory, None, offline, progress) as call:
            return SetUpReport.from_dict(_uvenv.add_package(call, os.fspath(Path.cwd() / path), git))

    def diff(self, a: str, b: str | None = None) -> DiffReport:
        """Says what differs between two profiles, or between a profile now and at a git revision.

        Args:
            a: A side: a profile, or a profile at a revision such as `prod@v1.0`; or both sides as `A..B`.
            b: The other side; where `a` is a profile at a revision, else that profile as it is.

        Returns:
            The differences: internal packages, other packages, backends, Python.

        Raises:
            InvalidComparison: A side is none, or both are the same.
            UnknownRevision: The git repository has no such revision.
            NotAtRevision: The profile is not there at the revision.
            UnknownProfile: The monorepo has no such profile.

        Example:
            >>> report = uvenv.Monorepo.discover().diff("staging", "prod")
            >>> [(one.name, one.from_.reference, one.to.reference) for one in report.internal][0]
            ('bench-utils', 'v0.1.2.dev0', 'v0.1.2')
        """
        with _followed(self.directory) as call:
            plain, text = _uvenv.diff(call, a, b)
        return DiffReport.from_dict(plain).with_text(text)


def detect_backend() -> DetectionReport:
    """Asks the driver of this machine's GPU, and says what `backend="auto"` would choose in the current directory.

    Returns:
        A report that is shown in words.

    Example:
        >>> [one.profile for one in uvenv.detect_backend().auto]
        ['dev', 'staging', 'prod']
    """
    with _followed(Path.cwd()) as call:
        plain, text = _uvenv.detect(call)
    return DetectionReport.from_dict(plain).with_text(text)


def kernels(prefix: str | os.PathLike[str] | None = None) -> KernelsReport:
    """Says which Jupyter kernels there are that `install_kernel` has installed.

    Args:
        prefix: Where to look, the `prefix` of `install_kernel`; else wherever Jupyter looks.

    Returns:
        A report that is a table in a terminal.

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
        name: Its name.
        prefix: The `prefix` of `install_kernel`; else the user's own kernels.

    Returns:
        What was removed.

    Raises:
        UnknownKernel: There is none of that name.
        NotAUvenvKernel: It is somebody else's.

    Example:
        >>> uvenv.remove_kernel("bench-dev-cu124", prefix="jupyter")
        Traceback (most recent call last):
        uvenv.UnknownKernel: ...
    """
    with _followed(Path.cwd()) as call:
        return KernelReport.from_dict(_uvenv.remove_kernel(call, name, _path(prefix)))


def _here(method: Callable[Concatenate[Monorepo, P], R]) -> Callable[[Callable[[], None]], Callable[P, R]]:
    """Has a function do what a method does, in the monorepo of the current directory."""

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
    """Does what `Monorepo.lock` does, in the monorepo of the current directory."""


@_here(Monorepo.sync)
def sync() -> None:
    """Does what `Monorepo.sync` does, in the monorepo of the current directory."""


@_here(Monorepo.plan)
def plan() -> None:
    """Does what `Monorepo.plan` does, in the monorepo of the current directory."""


@_here(Monorepo.run)
def run() -> None:
    """Does what `Monorepo.run` does, in the monorepo of the current directory."""


@_here(Monorepo.env)
def env() -> None:
    """Does what `Monorepo.env` does, in the monorepo of the current directory."""


@_here(Monorepo.install_kernel)
def install_kernel() -> None:
    """Does what `Monorepo.install_kernel` does, in the monorepo of the current directory."""


@_here(Monorepo.status)
def status() -> None:
    """Does what `Monorepo.status` does, in the monorepo of the current directory."""


@_here(Monorepo.backends)
def backends() -> None:
    """Does what `Monorepo.backends` does, in the monorepo of the current directory."""


@_here(Monorepo.check)
def check() -> None:
    """Does what `Monorepo.check` does, in the monorepo of the current directory."""


@_here(Monorepo.init)
def init() -> None:
    """Does what `Monorepo.init` does, in the monorepo of the current directory."""


@_here(Monorepo.add_package)
def add_package() -> None:
    """Does what `Monorepo.add_package` does, in the monorepo of the current directory."""


@_here(Monorepo.promote)
def promote() -> None:
    """Does what `Monorepo.promote` does, in the monorepo of the current directory."""


@_here(Monorepo.diff)
def diff() -> None:
    """Does what `Monorepo.diff` does, in the monorepo of the current directory."""


def activate(profile: str | None = None, *, backend: str | None = None) -> ImportReport:
    """Makes the packages of an environment importable in the interpreter that runs.

    What `Monorepo.activate` does, in the monorepo of the current directory.

    Args:
        profile: The profile: dev, staging or prod.
        backend: The GPU backend, where there is one environment for each.

    Returns:
        Where the packages are imported from.

    Raises:
        OtherPython: The environment's Python does not fit the one that runs.
        MissingEnvironment: There is no environment.

    Warns:
        ActivationWarning: Modules are imported already, from elsewhere.

    Example:
        >>> import sys
        >>> report = uvenv.sync("dev", backend="cu124", python=sys.executable)
        >>> uvenv.activate("dev").environment == report.environment
        True
    """
    # Not `_here`: a warning names the line of the caller.
    return _activated(Monorepo.discover(), profile, backend)


def _activated(repo: Monorepo, profile: str | None, backend: str | None) -> ImportReport:
    """Activates for a public function, whose caller a warning names."""
    from uvenv import _activate

    with _followed(repo.directory, profile) as call:
        report = ImportReport.from_dict(_uvenv.importable(call, backend, _activate.running_python()))
    _activate.apply(report, stacklevel=3)
    return report


class _Display(Protocol):
    def progress(self, event: dict[str, Any]) -> None: ...

    def say(self, line: str) -> None: ...


class _Listener:
    """What the native part tells while it works: to the log, and to a display where there is one."""

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
    """What each call of the native part says of itself."""

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
    """A call with a display of its progress, where that is wanted."""
    with _progress.observer(progress) as display:
        yield _Call(directory, profile, offline, display)


_FLAGS = (
    *("all_features", "no_default_features", "workspace", "frozen", "locked", "allow_stale", "no_default_groups"),
    *("all_packages", "release", "debug", "recreate"),
)
_NAMES = ("features", "crate", "exclude", "extra", "group", "package", "uv_args")


def _selection(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that `sync`, `plan` and `run` share, as the native part takes them."""
    selection = {name: arguments[name] for name in ("backend", *_FLAGS)}
    selection.update({name: _names(arguments[name]) for name in _NAMES})
    selection["python"] = _path(arguments["python"])
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

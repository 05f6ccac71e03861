"""Renders reports as HTML for notebooks: readable in light and dark themes, without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from uvenv._reports import (
    CheckReport,
    CommitsBetween,
    DiffReport,
    DiffSide,
    Distribution,
    EnvironmentStatus,
    FileChange,
    Finding,
    InternalOrigin,
    LockedChange,
    LockReport,
    PackageOrigin,
    PinnedRelease,
    ProfileStatus,
    PromotedPackage,
    PromoteReport,
    PythonRequest,
    StatusReport,
    SyncReport,
    Value,
    VerifyReport,
)

# Jupyter's own colors where there are some; else half-way ones, which stand out from light and dark alike. A state is
# told by its word; color only helps. The class keeps the rules from the rest of the page, and thrice it is stronger
# than the page's own rules for tables.
_STYLE = """<style>
.uvenv { font-size: 13px; line-height: 1.5; overflow-x: auto; }
.uvenv p { margin: 0 0 6px; }
.uvenv ul { margin: 0; padding: 0; list-style: none; }
.uvenv .more { color: var(--jp-ui-font-color2, inherit); }
.uvenv .state { white-space: nowrap; }
.uvenv .state::before { content: "\\25CF"; margin-right: 0.4em; }
.uvenv .good::before { color: var(--jp-success-color1, #2e9e4f); }
.uvenv .bad::before { color: var(--jp-error-color1, #d9483b); }
.uvenv .odd::before { color: var(--jp-warn-color1, #c77700); }
.uvenv .off::before { content: "\\25CB"; color: var(--jp-ui-font-color2, #888); }
.uvenv.uvenv.uvenv table { border-collapse: collapse; margin: 0 0 10px; font-size: inherit; }
.uvenv.uvenv.uvenv caption { caption-side: top; text-align: left; padding: 0 0 4px; color: inherit;
  font-weight: 600; }
.uvenv.uvenv.uvenv :is(th, td) { text-align: left; vertical-align: top; padding: 3px 18px 3px 0; max-width: 32em;
  border: 0; border-bottom: 1px solid var(--jp-border-color2, #8886); }
.uvenv.uvenv.uvenv th { font-weight: 600; }
.uvenv.uvenv.uvenv thead th { color: var(--jp-ui-font-color2, inherit); }
.uvenv.uvenv.uvenv tr { background: none; }
.uvenv.uvenv.uvenv code { font-family: var(--jp-code-font-family, monospace); font-size: 12px; background: none;
  color: inherit; padding: 0; overflow-wrap: anywhere; }
.uvenv.uvenv.uvenv pre { font-family: var(--jp-code-font-family, monospace); font-size: 12px; margin: 4px 0 10px; }
</style>"""

_LOCKFILE_TONES: dict[str, str] = {"fresh": "good", "missing": "off"}
_ENVIRONMENT_TONES: dict[str, str] = {"in-sync": "good", "missing": "off", "unknown": "off"}

_SEVERITY_TONES: dict[str, str] = {"error": "bad", "warning": "odd", "info": "off"}
_OUTCOMES: dict[str, tuple[str, str]] = {
    "updated": ("newer", "good"),
    "added": ("added", "good"),
    "downgraded": ("older", "odd"),
    "unchanged": ("up to date", "off"),
    "newer": ("kept", "odd"),
    "no-release": ("no matching tag", "odd"),
    "no-repository": ("unknown repository", "odd"),
}
"""The text and the tone for each outcome of a package."""

_NOTHING = '<span class="more">&ndash;</span>'

_LIST_AT_MOST = 40
"""The number of packages up to which a report shows them all; more are folded."""


def render(report: Value) -> str | None:
    """Renders a report with one of the functions below; `None` if there is none for it."""
    renderers: dict[type[Value], Callable[[Any], str]] = {
        CheckReport: check,
        DiffReport: diff,
        LockReport: lock,
        PromoteReport: promote,
        StatusReport: status,
        SyncReport: sync,
        VerifyReport: verify,
    }
    renderer = renderers.get(type(report))
    return renderer(report) if renderer else None


def status(report: StatusReport) -> str:
    """Renders the state of the profiles: a table of profiles, and one of internal packages."""
    parts = [f"<p>{_code(report.root)}</p>", _profiles(report)]
    if report.packages:
        parts.append(_packages(report))
    return _page(parts)


def sync(report: SyncReport) -> str:
    """Renders the result of a sync."""
    backend = [f"backend {_strong(report.backend)}"] if report.backend else []
    python = [f"Python {escape(report.python.version)}"] if report.python else []
    facts = ", ".join([*backend, *python, _seconds(report.elapsed_ms)])
    verdict = "synced" if report.changed else "already in sync"
    parts = [
        _sentence(f"{report.profile} {verdict}", f"{facts}; {_code(report.environment)}"),
    ]
    rows = _changes(report)
    if rows:
        parts.append(_folded(rows, ("package", "version", "from"), "changed distributions"))
    if report.rebuilt:
        rebuilt = [[_name(one.name), escape(one.cause)] for one in report.rebuilt]
        parts.append(_table("Rebuilt", ("package", "reason"), rebuilt))
    return _page(parts)


def lock(report: LockReport) -> str:
    """Renders the result of a lock."""
    # What a dry run would change, uv has said.
    verdict = "lockfile updated" if report.changed else "lockfile up to date"
    verdict = "locked, nothing written" if report.dry_run else verdict
    parts = [
        _sentence(f"{report.profile} {verdict}", f"{_seconds(report.elapsed_ms)}; {_code(report.lockfile)}"),
    ]
    if report.packages:
        parts.append(_locked(report.packages))
    return _page(parts)


def check(report: CheckReport) -> str:
    """Renders the result of a check."""
    counts = [(report.errors, "error"), (report.warnings, "warning"), (report.infos, "info")]
    found = [f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts if count]
    verdict = ", ".join(found) or "no findings"
    tone = "bad" if report.errors else "odd" if report.warnings else "good"
    remotes = " and their git remotes" if report.remote else ""
    written = "; nothing written" if report.dry_run else ""
    facts = f"in {escape(', '.join(report.profiles))}{remotes}; {_code(report.root)}{written}"
    parts = [_sentence(verdict, facts, tone)]
    if report.findings:
        parts.append(_findings("Findings", report.findings, report.root))
    # What would be fixed is among the findings.
    if report.fixed and not report.dry_run:
        parts.append(_findings("Fixed", report.fixed, report.root))
    parts += [_change(change, report.root) for change in report.changes]
    return _page(parts)


def promote(report: PromoteReport) -> str:
    """Renders the result of a promotion."""
    taken = sum(package.outcome in {"updated", "added", "downgraded"} for package in report.packages)
    what = f"{taken} package{'' if taken == 1 else 's'}"
    verdict = f"{what} would be promoted" if report.dry_run else f"{what} promoted"
    verdict = f"{report.profile}: {verdict if taken else 'nothing to promote'}"
    commit = [f"commit {_code(report.commit[:8])}"] if report.commit else []
    branch = [f"branch {_code(report.branch.name)} {report.branch.outcome}"] if report.branch else []
    facts = ", ".join([*commit, *branch, _seconds(report.elapsed_ms)])
    parts = [_sentence(verdict, f"{facts}; {_code(report.manifest)}")]
    # Its directory is in the root.
    root = report.manifest.parent.parent
    if report.packages:
        rows = [_promoted(package) for package in report.packages]
        parts.append(_table("Internal packages", ("package", "old", "new", "", "commits"), rows))
    if report.locked:
        parts.append(_locked(report.locked))
    if report.findings:
        parts.append(_findings("Findings", report.findings, root))
    parts += [_change(change, root) for change in report.changes]
    return _page(parts)


def diff(report: DiffReport) -> str:
    """Renders the differences between two profiles."""
    sides = (_side(report.from_), _side(report.to))
    differ = any((report.internal, report.packages, report.backends, report.python))
    verdict = f"{sides[0]} and {sides[1]} {'differ' if differ else 'do not differ'}"
    unlocked = [side for side, of in zip(sides, (report.from_, report.to), strict=True) if not of.is_locked]
    notes = [f"{escape(side)} has no lockfile: only the manifests are compared" for side in unlocked]
    parts = [_sentence(verdict, "; ".join(notes), "off" if differ else "good")]
    if report.internal:
        rows = [[_name(one.name), _internal(one.from_), _internal(one.to)] for one in report.internal]
        parts.append(_table("Internal packages", ("package", *sides), rows))
    if report.packages:
        rows = [[_name(one.name), _versions(one.from_), _versions(one.to)] for one in report.packages]
        parts.append(_folded(rows, ("package", *sides), "other packages"))
    if report.backends:
        rows = [[_name(one.name), _adds(one.from_), _adds(one.to)] for one in report.backends]
        parts.append(_table("Backends", ("backend", *sides), rows))
    if report.python:
        rows = [["Python", _python(report.python.from_), _python(report.python.to)]]
        parts.append(_table("Python", ("", *sides), rows))
    return _page(parts)


def verify(report: VerifyReport) -> str:
    """Renders what was changed in an environment."""
    count = len(report.differences)
    found = f"{count} difference{'' if count == 1 else 's'}" if count else "no differences"
    backend = f"backend {_strong(report.backend)}, " if report.backend else ""
    facts = f"{backend}{report.distributions} distributions, {report.files} files, {_seconds(report.elapsed_ms)}"
    parts = [
        _sentence(f"{report.profile}: {found}", f"{facts}; {_code(report.environment)}", "bad" if count else "good")
    ]
    if report.differences:
        rows = [
            [
                _state(one.kind, "bad"),
                _NOTHING if one.distribution is None else _name(one.distribution),
                _NOTHING if one.file is None else _code(one.file),
                _NOTHING if one.installed is None else escape(one.installed),
                _NOTHING if one.expected is None else escape(one.expected),
            ]
            for one in report.differences
        ]
        columns = ("difference", "distribution", "file", "installed", "expected")
        parts.append(_folded(rows, columns, "differences"))
    return _page(parts)


def _findings(caption: str, findings: Iterable[Finding], root: Path) -> str:
    rows = [
        [
            _state(finding.severity, _SEVERITY_TONES[finding.severity]),
            _code(finding.code),
            _lines([escape(finding.message), *([_more(f"help: {finding.help}")] if finding.help else [])]),
            _place(finding, root),
        ]
        for finding in findings
    ]
    return _table(caption, ("severity", "code", "finding", "where"), rows)


def _place(finding: Finding, root: Path) -> str:
    places = [(finding.file, finding.line)] if finding.file else []
    places += [(related.file, related.line) for related in finding.related]
    # Each line once, though several words may point to it.
    unique = dict.fromkeys(f"{_within(file, root)}:{line}" for file, line in places)
    return _lines([_code(place) for place in unique]) if unique else _NOTHING


def _change(change: FileChange, root: Path) -> str:
    head = f"<summary>Changes in {_code(_within(change.file, root))}</summary>"
    return f"<details open>{head}<pre>{escape(change.diff)}</pre></details>"


def _promoted(package: PromotedPackage) -> list[str]:
    words, tone = _OUTCOMES[package.outcome]
    newest = f": newer than {package.newest}" if package.outcome == "newer" and package.newest else ""
    is_changed = package.outcome in {"updated", "added", "downgraded"}
    return [
        _name(package.name),
        _release(package.from_),
        _release(package.to) if is_changed else _NOTHING,
        _state(words + newest, tone),
        _commits(package.commits) if is_changed else _NOTHING,
    ]


def _release(release: PinnedRelease | None) -> str:
    if release is None:
        return _NOTHING
    commit = f" {_more(f'({release.commit[:8]})')}" if release.commit else ""
    return f"{escape(release.reference)}{commit}"


def _commits(commits: CommitsBetween | None) -> str:
    if commits is None:
        return _NOTHING
    listed = [f"{_code(one.commit[:8])} {escape(one.subject)}" for one in commits.newest]
    more = commits.count - len(listed)
    if more:
        listed.append(_more(f"and {more} more"))
    return f"<details><summary>{commits.count}</summary>{_lines(listed)}</details>" if listed else "0"


def _locked(changes: Iterable[LockedChange]) -> str:
    rows = [[_name(one.name), _versions(one.from_), _versions(one.to)] for one in changes]
    return _folded(rows, ("package", "before", "now"), "changed packages")


def _side(side: DiffSide) -> str:
    return side.profile if side.revision is None else f"{side.profile}@{side.revision}"


def _internal(origin: InternalOrigin | None) -> str:
    if origin is None:
        return _NOTHING
    if origin.reference is not None:
        locked = origin.commit[:8] if origin.commit is not None else origin.version or "not locked"
        return f"{escape(origin.reference)} {_more(f'({locked})')}"
    directory = "" if origin.directory is None else f" {_more(f'in {origin.directory}')}"
    return f"{escape(origin.version or 'dynamic')}{directory}"


def _adds(requirements: tuple[str, ...] | None) -> str:
    if requirements is None:
        return _NOTHING
    return _lines([_code(one) for one in requirements]) if requirements else "adds nothing"


def _python(request: PythonRequest) -> str:
    requires = "any" if request.requires_python is None else request.requires_python
    file = "" if request.python_version is None else f" {_more(f'.python-version {request.python_version}')}"
    return f"{escape(requires)}{file}"


def _profiles(report: StatusReport) -> str:
    rows = [
        [
            _name(profile.profile),
            _code(_within(profile.manifest, report.root)),
            _lockfile(profile),
            _environments(profile, report.root),
        ]
        for profile in report.profiles
    ]
    return _table("Profiles", ("profile", "manifest", "lockfile", "environment"), rows)


def _lockfile(profile: ProfileStatus) -> str:
    state = profile.lockfile.state
    lines = [_state(state, _LOCKFILE_TONES.get(state, "bad"))]
    lines += [_more(reason) for reason in profile.lockfile.reasons]
    if profile.error is not None:
        lines.append(_more(f"error[{profile.error.code}]: {profile.error.message}"))
    return _lines(lines)


def _environments(profile: ProfileStatus, root: Path) -> str:
    found = [_environment(one, profile, root) for one in profile.environments]
    return _lines(found) if found else _state("none", "off")


def _environment(found: EnvironmentStatus, profile: ProfileStatus, root: Path) -> str:
    facts = [f"Python {found.python.version}"] if found.python else []
    if found.backend is not None:
        facts.append(found.backend)
    elif found.recorded and profile.backends:
        facts.append("no backend")
    if found.detail is not None:
        facts.append(found.detail)
    state = _state(found.state.replace("-", " "), _ENVIRONMENT_TONES.get(found.state, "bad"))
    return f"{state} {_code(_within(found.path, root))} {_more(', '.join(facts))}"


def _packages(report: StatusReport) -> str:
    profiles = [profile.profile for profile in report.profiles]
    rows: list[list[str]] = []
    for package in report.packages:
        origins = {origin.profile: origin for origin in package.profiles}
        rows.append([_name(package.name), *(_origin(origins.get(profile)) for profile in profiles)])
    return _table("Internal packages", ("package", *profiles), rows)


def _origin(origin: PackageOrigin | None) -> str:
    if origin is None or (origin.version is None and origin.reference is None):
        return _NOTHING
    if origin.version is not None:
        return escape(origin.version)
    commit = "not locked" if origin.commit is None else origin.commit[:8]
    return f"{escape(origin.reference or '')} {_more(f'({commit})')}"


def _changes(report: SyncReport) -> list[list[str]]:
    """Returns a row for each distribution that was installed, removed or replaced."""
    before = {one.name: one for one in report.removed}
    now = {one.name: one for one in report.installed}
    rows: list[list[str]] = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if new is None:
            rows.append([_name(name), f"{_versions(_version(old))} removed", ""])
        elif old is None or old.version == new.version:
            rows.append([_name(name), escape(new.version), _source(new, report.environment.parent)])
        else:
            rows.append(
                [_name(name), f"{escape(old.version)} → {escape(new.version)}", _source(new, report.environment.parent)]
            )
    return rows


def _version(one: Distribution | None) -> tuple[str, ...]:
    return () if one is None else (one.version,)


def _source(one: Distribution, root: Path) -> str:
    plain = one.source.to_dict()
    match plain["kind"]:
        case "git":
            return (
                f"{_code(plain['url'])} {_more(plain.get('requested') or '')} {_more('(' + plain['commit'][:8] + ')')}"
            )
        case "editable":
            return f"{_code(_within(Path(plain['path']), root))} {_more('(editable)')}"
        case "directory":
            return _code(_within(Path(plain["path"]), root))
        case "archive":
            return _code(plain["url"])
        case _:
            return ""


def _versions(versions: Sequence[str]) -> str:
    return escape(", ".join(versions)) if versions else _NOTHING


def _folded(rows: list[list[str]], head: Sequence[str], what: str) -> str:
    """Returns a table, folded to its number of rows if there are many."""
    table = _table(what[0].upper() + what[1:], head, rows)
    if len(rows) <= _LIST_AT_MOST:
        return table
    return f"<details><summary>{len(rows)} {escape(what)}</summary>{table}</details>"


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table with column and row headings, which screen readers announce."""
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _page(parts: Iterable[str]) -> str:
    return f'{_STYLE}<div class="uvenv">{"".join(parts)}</div>'


def _sentence(verdict: str, facts: str, tone: str = "good") -> str:
    return f'<p>{_state(verdict, tone)} <span class="more">{facts}</span></p>'


def _state(text: str, tone: str) -> str:
    return f'<span class="state {tone}">{escape(text)}</span>'


def _name(name: str) -> str:
    return escape(name)


def _strong(text: str) -> str:
    return f"<strong>{escape(text)}</strong>"


def _more(text: str) -> str:
    return f'<span class="more">{escape(text)}</span>' if text else ""


def _code(text: str | Path) -> str:
    return f"<code>{escape(str(text))}</code>"


def _lines(lines: Sequence[str]) -> str:
    return lines[0] if len(lines) == 1 else f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"


def _within(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s"

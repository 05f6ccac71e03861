"""Reports as HTML, for notebooks: readable in light and dark themes, without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvenv._reports import (
        Distribution,
        EnvironmentStatus,
        LockReport,
        PackageOrigin,
        ProfileStatus,
        StatusReport,
        SyncReport,
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
</style>"""

_LOCKFILE_TONES: dict[str, str] = {"fresh": "good", "missing": "off"}
_ENVIRONMENT_TONES: dict[str, str] = {"in-sync": "good", "missing": "off", "unknown": "off"}

_NOTHING = '<span class="more">&ndash;</span>'

_LIST_AT_MOST = 40
"""How many packages a report shows at once; the others are folded."""


def status(report: StatusReport) -> str:
    """How the profiles stand: a table of profiles, and one of internal packages."""
    parts = [f"<p>{_code(report.root)}</p>", _profiles(report)]
    if report.packages:
        parts.append(_packages(report))
    return _page(parts)


def sync(report: SyncReport) -> str:
    """What a sync has changed."""
    backend = [f"backend {_strong(report.backend)}"] if report.backend else []
    python = [f"Python {escape(report.python.version)}"] if report.python else []
    facts = ", ".join([*backend, *python, _seconds(report.elapsed_ms)])
    verdict = "synced" if report.changed else "in sync already"
    parts = [
        _sentence(f"{report.profile} {verdict}", f"{facts}; {_code(report.environment)}"),
    ]
    rows = _changes(report)
    if rows:
        parts.append(_folded(rows, ("package", "version", "from"), "changed distributions"))
    if report.rebuilt:
        rebuilt = [[_name(one.name), escape(one.cause)] for one in report.rebuilt]
        parts.append(_table("Built again", ("package", "because"), rebuilt))
    return _page(parts)


def lock(report: LockReport) -> str:
    """What a lock has changed."""
    # What a dry run would change, uv has said.
    verdict = "lockfile written" if report.changed else "lockfile up to date"
    verdict = "locked, nothing written" if report.dry_run else verdict
    parts = [
        _sentence(f"{report.profile} {verdict}", f"{_seconds(report.elapsed_ms)}; {_code(report.lockfile)}"),
    ]
    if report.packages:
        rows = [[_name(one.name), _versions(one.from_), _versions(one.to)] for one in report.packages]
        parts.append(_folded(rows, ("package", "before", "now"), "changed packages"))
    return _page(parts)


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
    """A row for each distribution that has come, gone or become another."""
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
    """A table, of which only the number of rows is seen at first where there are many."""
    table = _table(what[0].upper() + what[1:], head, rows)
    if len(rows) <= _LIST_AT_MOST:
        return table
    return f"<details><summary>{len(rows)} {escape(what)}</summary>{table}</details>"


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with headings for columns and rows, which screen readers tell."""
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _page(parts: Iterable[str]) -> str:
    return f'{_STYLE}<div class="uvenv">{"".join(parts)}</div>'


def _sentence(verdict: str, facts: str) -> str:
    return f'<p>{_state(verdict, "good")} <span class="more">{facts}</span></p>'


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

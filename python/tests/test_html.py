"""Reports as HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from IPython.core.formatters import HTMLFormatter

import uvenv

ROOT = "/code/<b>bench</b>"

UV = {"path": "/bin/uv", "version": "0.9.0"}

STATUS: dict[str, Any] = {
    "reason": "status",
    "root": ROOT,
    "profiles": [
        {
            "profile": "dev",
            "manifest": f"{ROOT}/pyproject.toml",
            "backends": ["cu124"],
            "lockfile": {"path": f"{ROOT}/uv.lock", "state": "stale", "reasons": ["`a<2` & `b` are not locked"]},
            "environments": [
                {
                    "path": f"{ROOT}/.venv",
                    "state": "out-of-sync",
                    "python": {"path": f"{ROOT}/.venv/bin/python", "version": "3.12.1"},
                    "recorded": True,
                    "backend": None,
                    "detail": "2 distributions are missing",
                    "uv_asked_because": None,
                }
            ],
            "error": None,
        },
        {
            "profile": "prod",
            "manifest": f"{ROOT}/prod/pyproject.toml",
            "backends": [],
            "lockfile": {"path": f"{ROOT}/prod/uv.lock", "state": "missing", "reasons": []},
            "environments": [],
            "error": {
                "code": "invalid-toml",
                "message": "there is a <script>",
                "help": None,
                "file": None,
                "line": None,
                "column": None,
            },
        },
    ],
    "packages": [
        {
            "name": "print-utils",
            "profiles": [
                {"profile": "dev", "version": "0.1", "reference": None, "commit": None},
                {"profile": "prod", "version": None, "reference": "v0.1", "commit": "c25f512ebfcb7eab38c56b7c"},
            ],
        },
        {
            "name": "bench-utils",
            "profiles": [{"profile": "prod", "version": None, "reference": "<main>", "commit": None}],
        },
    ],
}


def shown(report: object) -> str:
    """The HTML that Jupyter shows."""
    formatter: Any = HTMLFormatter()
    return str(formatter(report))


class Page(HTMLParser):
    """Parsed HTML: tables by caption, as rows of cells, and the names of all elements."""

    EMPTY = ("br", "hr", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.elements: set[str] = set()
        self.scopes: list[str | None] = []
        self._open: list[str] = []
        self._rows: list[list[str]] = []
        self.feed(text)
        assert not self._open, "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self._open.append(tag)
        if tag == "table":
            self._rows = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"th", "td"}:
            self._rows[-1].append("")
        if tag == "th":
            self.scopes.append(dict(attrs).get("scope"))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "caption" in self._open:
            self.tables[data] = self._rows
        elif {"th", "td"} & set(self._open):
            self._rows[-1][-1] += data


def test_status_is_two_tables() -> None:
    page = Page(shown(uvenv.StatusReport.from_dict(STATUS)))
    assert page.tables["Profiles"] == [
        ["profile", "manifest", "lockfile", "environment"],
        [
            "dev",
            "pyproject.toml",
            "stale`a<2` & `b` are not locked",
            "out of sync .venv Python 3.12.1, no backend, 2 distributions are missing",
        ],
        ["prod", "prod/pyproject.toml", "missingerror[invalid-toml]: there is a <script>", "none"],
    ]
    assert page.tables["Internal packages"] == [
        ["package", "dev", "prod"],
        ["print-utils", "0.1", "v0.1 (c25f512e)"],
        ["bench-utils", "–", "<main> (not locked)"],  # noqa: RUF001 (as it is shown)
    ]


def test_html_is_accessible_and_escaped() -> None:
    page = Page(shown(uvenv.StatusReport.from_dict(STATUS)))
    assert not page.elements & {"script", "b", "main"}, "what comes from files is text"
    assert set(page.scopes) == {"row", "col"}


def distribution(name: str, version: str, **source: str) -> dict[str, Any]:
    return {"name": name, "version": version, "source": source or {"kind": "registry"}}


def sync_report(**changes: Any) -> uvenv.SyncReport:
    plain: dict[str, Any] = {
        "profile": "prod",
        "backend": "cu124",
        "backend_origin": "`--backend`",
        "environment": "/code/prod/.venv",
        "python": {"path": "/code/prod/.venv/bin/python", "version": "3.12.1"},
        "changed": False,
        "installed": [],
        "removed": [],
        "uv_invoked": True,
        "rebuilt": [],
        "uv": UV,
        "elapsed_ms": 1234,
    }
    return uvenv.SyncReport.from_dict(plain | changes)


def test_sync_shows_what_changed() -> None:
    git = {"kind": "git", "url": "https://git.example.com/x.git", "commit": "0123456789abcdef", "requested": "v2"}
    report = sync_report(
        changed=True,
        installed=[
            distribution("new", "1"),
            distribution("other", "2", **git),
            distribution("ours", "3", kind="editable", path="/code/prod/packages/ours"),
        ],
        removed=[distribution("gone", "1"), distribution("other", "1")],
        rebuilt=[{"name": "kernels", "cause": "src/lib.rs has changed"}],
    )
    html = shown(report)
    assert "prod synced" in html
    page = Page(html)
    assert page.tables["Changed distributions"][1:] == [
        ["gone", "1 removed", ""],
        ["new", "1", ""],
        ["other", "1 → 2", "https://git.example.com/x.git v2 (01234567)"],
        ["ours", "3", "packages/ours (editable)"],
    ]
    assert page.tables["Rebuilt"][1:] == [["kernels", "src/lib.rs has changed"]]


def test_sync_without_changes_is_one_line() -> None:
    html = shown(sync_report())
    assert "prod already in sync" in html
    assert not Page(html).tables


def test_many_changes_are_folded() -> None:
    page = Page(shown(sync_report(installed=[distribution(f"p{number}", "1") for number in range(500)])))
    assert {"details", "summary"} <= page.elements
    assert len(page.tables["Changed distributions"]) == 501


def test_lock_shows_what_changed() -> None:
    plain: dict[str, Any] = {
        "profile": "dev",
        "lockfile": "/code/uv.lock",
        "changed": True,
        "dry_run": False,
        "packages": [{"name": "six", "from": ["1.16.0"], "to": ["1.17.0"]}, {"name": "old", "from": ["1"], "to": []}],
        "uv": UV,
        "elapsed_ms": 20,
    }
    html = shown(uvenv.LockReport.from_dict(plain))
    assert "lockfile updated" in html
    assert Page(html).tables["Changed packages"][1:] == [["six", "1.16.0", "1.17.0"], ["old", "1", "–"]]  # noqa: RUF001
    assert "nothing written" in shown(uvenv.LockReport.from_dict(plain | {"dry_run": True}))


def finding(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "severity": "error",
        "code": "dev-tag-in-prod",
        "message": "prod pins `bench-utils` to <v0.1.2.dev0>",
        "help": "pin `v0.1.2` & lock",
        "profile": "prod",
        "package": "bench-utils",
        "file": f"{ROOT}/prod/pyproject.toml",
        "line": 12,
        "column": 3,
        "related": [],
        "fixable": False,
    }
    return plain | changes


def check_report(**changes: Any) -> uvenv.CheckReport:
    plain: dict[str, Any] = {
        "root": ROOT,
        "profiles": ["dev", "prod"],
        "remote": False,
        "findings": [],
        "errors": 0,
        "warnings": 0,
        "infos": 0,
        "fixed": [],
        "changes": [],
        "dry_run": False,
    }
    return uvenv.CheckReport.from_dict(plain | changes)


DIFF = {"file": f"{ROOT}/pyproject.toml", "diff": "-a = <1>\n+a = 2\n"}


def test_check_is_a_table_of_findings() -> None:
    related = {"message": "the commit", "file": f"{ROOT}/prod/uv.lock", "line": 7, "column": 1}
    found = [finding(related=[related]), finding(severity="info", help=None, file=None, line=None, column=None)]
    html = shown(check_report(findings=found, errors=1, infos=1, remote=True))
    assert "1 error, 1 info" in html
    assert "in dev, prod and their git remotes" in html
    page = Page(html)
    message = "prod pins `bench-utils` to <v0.1.2.dev0>"
    assert page.tables["Findings"] == [
        ["severity", "code", "finding", "where"],
        [
            "error",
            "dev-tag-in-prod",
            f"{message}help: pin `v0.1.2` & lock",
            "prod/pyproject.toml:12prod/uv.lock:7",
        ],
        ["info", "dev-tag-in-prod", message, "–"],  # noqa: RUF001 (as it is shown)
    ]
    assert not page.elements & {"script", "b", "v0.1.2.dev0"}


def test_clean_check_is_one_line() -> None:
    html = shown(check_report())
    assert "no findings" in html
    assert not Page(html).tables


def test_check_shows_its_fixes() -> None:
    planned = shown(check_report(findings=[finding()], errors=1, fixed=[finding()], changes=[DIFF], dry_run=True))
    assert set(Page(planned).tables) == {"Findings"}
    assert "nothing written" in planned
    assert "-a = &lt;1&gt;\n+a = 2" in planned
    assert set(Page(shown(check_report(fixed=[finding()], changes=[DIFF]))).tables) == {"Fixed"}


def release(tag: str, commit: str | None) -> dict[str, Any]:
    return {"reference": tag, "version": tag.removeprefix("v"), "commit": commit}


def promoted(name: str, outcome: str, **changes: Any) -> dict[str, Any]:
    plain = {"name": name, "url": None, "outcome": outcome, "from": None, "to": None, "newest": None, "commits": None}
    return plain | changes


def promote_report(**changes: Any) -> uvenv.PromoteReport:
    plain: dict[str, Any] = {
        "profile": "prod",
        "manifest": f"{ROOT}/prod/pyproject.toml",
        "lockfile": f"{ROOT}/prod/uv.lock",
        "dry_run": False,
        "changed": True,
        "packages": [],
        "locked": [],
        "changes": [],
        "findings": [],
        "commit": None,
        "branch": None,
        "elapsed_ms": 1234,
    }
    return uvenv.PromoteReport.from_dict(plain | changes)


def test_promotion_is_a_table_of_packages() -> None:
    old, new = release("v0.1.2", "0123456789abcdef"), release("v0.1.3", "abcdef0123456789")
    commits = {"count": 3, "newest": [{"commit": "abcdef0123456789", "subject": "Be <quick>"}]}
    report = promote_report(
        packages=[
            promoted("one", "updated", **{"from": old, "to": new, "commits": commits}),
            promoted("two", "added", to=release("v1", None)),
            promoted("three", "newer", **{"from": new, "to": new, "newest": "v0.1.2"}),
            promoted("four", "no-repository"),
        ],
        locked=[{"name": "one", "from": ["v0.1.2"], "to": ["v0.1.3"]}],
        findings=[finding(severity="warning")],
        commit="fedcba9876543210",
    )
    html = shown(report)
    assert "prod: 2 packages promoted" in html
    assert "fedcba98" in html
    page = Page(html)
    assert page.tables["Internal packages"][1:] == [
        ["one", "v0.1.2 (01234567)", "v0.1.3 (abcdef01)", "newer", "3abcdef01 Be <quick>and 2 more"],
        ["two", "–", "v1", "added", "–"],  # noqa: RUF001 (as it is shown)
        ["three", "v0.1.3 (abcdef01)", "–", "kept: newer than v0.1.2", "–"],  # noqa: RUF001 (as it is shown)
        ["four", "–", "–", "unknown repository", "–"],  # noqa: RUF001 (as it is shown)
    ]
    assert page.tables["Changed packages"][1:] == [["one", "v0.1.2", "v0.1.3"]]
    assert page.tables["Findings"][1][3] == "prod/pyproject.toml:12"
    assert "quick" not in page.elements


def test_planned_and_unchanged_promotions() -> None:
    planned = shown(promote_report(packages=[promoted("one", "added")], dry_run=True, changes=[DIFF]))
    assert "prod: 1 package would be promoted" in planned
    assert "+a = 2" in planned
    branch = {"name": "uvenv/promote-to-prod", "commit": "fedcba9876543210", "outcome": "updated"}
    on_branch = shown(promote_report(packages=[promoted("one", "updated")], branch=branch))
    assert "branch <code>uvenv/promote-to-prod</code> updated" in on_branch
    assert "prod: nothing to promote" in shown(promote_report(packages=[promoted("one", "unchanged")]))


def side(**changes: Any) -> dict[str, Any]:
    return {"profile": "prod", "revision": None, "is_locked": True} | changes


def diff_report(**changes: Any) -> uvenv.DiffReport:
    plain: dict[str, Any] = {
        "from": side(revision="v1.0"),
        "to": side(),
        "internal": [],
        "packages": [],
        "backends": [],
        "python": None,
    }
    return uvenv.DiffReport.from_dict(plain | changes)


def origin(**changes: Any) -> dict[str, Any]:
    return {"version": None, "reference": None, "commit": None, "directory": None} | changes


def test_verification_shows_a_table_of_differences() -> None:
    nothing = {"distribution": None, "file": None, "installed": None, "expected": None}
    plain: dict[str, Any] = {
        "profile": "prod",
        "backend": "cu124",
        "environment": f"{ROOT}/prod/.venv",
        "python": None,
        "fast": False,
        "vendored": None,
        "distributions": 2,
        "files": 30,
        "bytes": 4000,
        "differences": [],
        "uv": {"path": "/uv", "version": "0.13.9"},
        "elapsed_ms": 5,
    }
    html = shown(uvenv.VerifyReport.from_dict(plain))
    assert "prod: no differences" in html
    differences = [
        nothing | {"kind": "wrong-version", "distribution": "six", "installed": "1<2", "expected": "1.17.0"},
        nothing | {"kind": "added-file", "file": "bin/tool"},
    ]
    html = shown(uvenv.VerifyReport.from_dict(plain | {"differences": differences}))
    for part in ("prod: 2 differences", "wrong-version", "1&lt;2", "1.17.0", "bin/tool"):
        assert part in html


def test_comparison_shows_tables_of_differences() -> None:
    released = origin(version="0.1.2", reference="v0.1.2", commit="0123456789abcdef")
    report = diff_report(
        to=side(is_locked=False),
        internal=[
            {"name": "one", "from": released, "to": origin(reference="<main>")},
            {"name": "two", "from": origin(version="0.1", directory="packages/two"), "to": None},
            {"name": "three", "from": origin(), "to": origin(version="3")},
        ],
        packages=[{"name": "six", "from": ["1.16.0"], "to": []}],
        backends=[{"name": "cu124", "from": None, "to": []}, {"name": "cu128", "from": ["torch>2"], "to": None}],
        python={
            "from": {"requires_python": ">=3.10", "python_version": None},
            "to": {"requires_python": None, "python_version": "3.12"},
        },
    )
    html = shown(report)
    assert "prod@v1.0 and prod differ" in html
    assert "prod has no lockfile: only the manifests are compared" in html
    page = Page(html)
    nothing = "–"  # noqa: RUF001 (as it is shown)
    assert page.tables == {
        "Internal packages": [
            ["package", "prod@v1.0", "prod"],
            ["one", "v0.1.2 (01234567)", "<main> (not locked)"],
            ["two", "0.1 in packages/two", nothing],
            ["three", "dynamic", "3"],
        ],
        "Other packages": [["package", "prod@v1.0", "prod"], ["six", "1.16.0", nothing]],
        "Backends": [
            ["backend", "prod@v1.0", "prod"],
            ["cu124", nothing, "adds nothing"],
            ["cu128", "torch>2", nothing],
        ],
        "Python": [["", "prod@v1.0", "prod"], ["Python", ">=3.10", "any .python-version 3.12"]],
    }


def test_comparison_without_differences() -> None:
    html = shown(diff_report())
    assert "prod@v1.0 and prod do not differ" in html
    assert not Page(html).tables

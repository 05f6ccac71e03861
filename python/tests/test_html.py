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
    """What Jupyter shows of it."""
    formatter: Any = HTMLFormatter()
    return str(formatter(report))


class Page(HTMLParser):
    """What a browser makes of HTML: tables by their captions, as rows of cells, and the names of all elements."""

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


def test_it_is_for_everybody() -> None:
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
        "rebuilt": [],
        "uv": UV,
        "elapsed_ms": 1234,
    }
    return uvenv.SyncReport.from_dict(plain | changes)


def test_a_sync_says_what_has_changed() -> None:
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
    assert page.tables["Built again"][1:] == [["kernels", "src/lib.rs has changed"]]


def test_a_sync_without_changes_is_one_line() -> None:
    html = shown(sync_report())
    assert "prod in sync already" in html
    assert not Page(html).tables


def test_many_changes_are_folded() -> None:
    page = Page(shown(sync_report(installed=[distribution(f"p{number}", "1") for number in range(500)])))
    assert {"details", "summary"} <= page.elements
    assert len(page.tables["Changed distributions"]) == 501


def test_a_lock_says_what_has_changed() -> None:
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
    assert "lockfile written" in html
    assert Page(html).tables["Changed packages"][1:] == [["six", "1.16.0", "1.17.0"], ["old", "1", "–"]]  # noqa: RUF001
    assert "nothing written" in shown(uvenv.LockReport.from_dict(plain | {"dry_run": True}))

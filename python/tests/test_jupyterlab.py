"""JupyterLab in a browser: what a data scientist sees."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from conftest import SlowPackage
from kernels import jupyter_variables
from playwright.sync_api import Error as PlaywrightError, Page, expect, sync_playwright

import uvenv

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Playwright

BROWSER = os.environ.get("TEST_BROWSER")
"""The browser to use."""

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

QUIET = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--no-sandbox", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)

PATIENCE = 60_000
"""The time limit in milliseconds for something to become visible."""

SETTINGS = {
    "jupyter_config_dir/labconfig/page_config.json": (
        '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
    ),
    "lab_settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings": '{"theme": "JupyterLab THEME"}',
}
"""Settings: does not ask about news; sets the theme."""

CELLS = (
    "import uvenv\nrepo = uvenv.Monorepo.discover()",
    "repo.status()",
    "repo.sync('dev', backend='cu124')",
    "%load_ext uvenv",
    "%uvenv status",
    "%uvenv sync --profile live",
)


def launched(playwright: Playwright, profile: Path) -> Browser:
    """The browser of this machine, or else the one installed by Playwright."""
    found = BROWSER or next(filter(None, map(shutil.which, NAMES)), None)
    try:
        return playwright.chromium.launch(
            executable_path=found,
            args=[*QUIET, f"--disk-cache-dir={profile}"],
            env={**os.environ, "HOME": str(profile)},
        )
    except PlaywrightError as error:
        if os.environ.get("CI") or BROWSER:
            raise
        pytest.skip(f"there is no Chromium, and `playwright install chromium` was not run: {error.message}")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launched(playwright, tmp_path_factory.mktemp("browser"))
        yield browser
        browser.close()


@contextmanager
def jupyterlab(directory: Path, home: Path, theme: str) -> Generator[str]:
    """Starts JupyterLab in a directory and returns the URL of its files."""
    for name, text in SETTINGS.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text.replace("THEME", theme))
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": "0",
        "ServerApp.root_dir": str(directory),
        "IdentityProvider.token": "secret",
        "LabApp.extension_manager": "readonly",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    variables = {**os.environ, **jupyter_variables(home), "JUPYTERLAB_SETTINGS_DIR": str(home / "lab_settings")}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *arguments]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=directory, env=variables, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield address(server, home) + "lab/tree/"
    finally:
        server.terminate()
        server.wait()


def address(server: subprocess.Popen[bytes], home: Path) -> str:
    """The URL of the server, once it prints it."""
    while True:
        lines = (home / "log").read_text().splitlines()
        urls = [line.split()[-1] for line in lines if "http://127.0.0.1:" in line and "?token=" in line]
        if urls:
            return urls[0].partition("lab?")[0]
        assert server.poll() is None, "\n".join(lines)
        time.sleep(0.1)


@dataclass
class Notebook:
    """A notebook that is open in a browser."""

    page: Page

    def run(self, cell: int) -> None:
        """Runs a cell."""
        editor = self.page.locator(".jp-Notebook-cell .cm-content").nth(cell)
        prompt = self.page.locator(".jp-Notebook-cell .jp-InputPrompt").nth(cell)
        # JupyterLab may move the focus elsewhere before it gets the key.
        for patience in (PATIENCE / 10, PATIENCE / 10, PATIENCE):
            editor.click()
            # The output of the cell before may still move this cell away from the pointer.
            expect(editor).to_be_focused()
            self.page.keyboard.press("Shift+Enter")
            with suppress(AssertionError):
                expect(prompt).not_to_have_text("[ ]:", timeout=patience)
                return
        expect(prompt).not_to_have_text("[ ]:")

    def output(self, cell: int) -> str:
        """The selector of a cell's outputs."""
        return f".jp-Notebook-cell >> nth={cell} >> .jp-Cell-outputArea"

    def photograph(self, name: str) -> None:
        """Saves a screenshot, if the user wants one."""
        if PHOTOGRAPHS is not None:
            self.page.screenshot(path=PHOTOGRAPHS / f"{name}.png")


def accept(dialog: Locator) -> None:
    """Answers a question that JupyterLab asks on a slow machine, and shows it in the output of a test that fails."""
    print(dialog.inner_text())
    dialog.locator(".jp-mod-accept").click()


PHOTOGRAPHS = Path(os.environ["TEST_PHOTOGRAPHS"]) if "TEST_PHOTOGRAPHS" in os.environ else None


@contextmanager
def opened(browser: Browser, repo: uvenv.Monorepo, home: Path, theme: str) -> Generator[Notebook]:
    """A notebook in the root of a monorepo, with its first cell selected and its kernel ready."""
    # This package has no type hints.
    format: Any = nbformat
    document = format.v4.new_notebook(
        cells=[format.v4.new_code_cell(source) for source in CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    format.write(document, repo.root / "work.ipynb")
    home.mkdir()
    with jupyterlab(repo.root, home, theme) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 1100})
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.goto(f"{url}work.ipynb?token=secret")
        expect(page.locator(".jp-Notebook-cell")).to_have_count(len(CELLS))
        expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible()
        notebook = Notebook(page)
        dialog = page.locator(".jp-Dialog")
        page.add_locator_handler(dialog, accept)
        try:
            yield notebook
        finally:
            notebook.photograph(f"{theme}-end")
            page.close()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_jupyterlab_shows_a_notebook(
    browser: Browser, repo: uvenv.Monorepo, slow_package: SlowPackage, tmp_path: Path, theme: str
) -> None:
    with opened(browser, repo, tmp_path / "jupyter", theme) as notebook:
        page = notebook.page
        notebook.run(0)
        notebook.run(1)
        table = page.locator(notebook.output(1)).get_by_role("table", name="Profiles")
        expect(table.get_by_role("row")).to_have_count(4)
        expect(table.get_by_role("rowheader", name="staging")).to_be_visible()
        expect(table.get_by_text("missing").first).to_be_visible()

        notebook.run(2)
        output = page.locator(notebook.output(2))
        expect(output.get_by_text("building")).to_be_visible()
        expect(output.locator(".widget-hprogress").first).to_be_visible()
        notebook.photograph(f"{theme}-progress")
        slow_package.be_quick()
        expect(output.get_by_text("dev synced")).to_be_visible()
        expect(output.locator(".jupyter-widgets")).to_have_count(0)
        expect(output.get_by_role("rowheader", name="bench-utils")).to_be_visible()

        for cell in (3, 4, 5):
            notebook.run(cell)
        expect(page.locator(notebook.output(4)).get_by_text("in sync")).to_be_visible()
        error = page.locator(notebook.output(5))
        expect(error.get_by_text("is not one of")).to_be_visible()
        expect(error.get_by_text("Traceback")).to_have_count(0)
        notebook.photograph(f"{theme}-report")

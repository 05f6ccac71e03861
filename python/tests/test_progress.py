"""Progress in a terminal, in a notebook, and without either."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest
from conftest import SlowPackage
from kernels import PATIENCE, Kernel, jupyter_variables, started

import uvenv
from uvenv import _progress

if sys.platform != "win32":
    import fcntl
    import pty
    import struct
    import termios

MIB = 1024 * 1024

RESOLVING = {"step": "resolving", "package": "numpy"}
PREPARING = {"step": "preparing", "done": 1, "total": 5}


def downloading(name: str, done: int, total: int | None) -> dict[str, Any]:
    return {"step": "downloading", "name": name, "bytes": done, "total": total}


class Terminal:
    """A terminal with an interactive Python."""

    LOOP = "import sys\nfor line in sys.stdin:\n    exec(line)\n    print('\\x1b]0;ready\\x07', end='', flush=True)\n"

    def __init__(self, directory: Path, rows: int = 24, columns: int = 100) -> None:
        self.screen = pyte.Screen(columns or 80, rows or 24)
        self._stream = pyte.ByteStream(self.screen)
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.LOOP],
            stdin=subprocess.PIPE,
            stdout=theirs,
            stderr=theirs,
            cwd=directory,
            env={**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
            text=True,
        )
        os.close(theirs)

    def type(self, line: str) -> list[str]:
        """Runs a line of Python and returns the visible lines."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.screen.set_title("")
        while self.screen.title != "ready":
            self._read()
        return self.lines()

    def read_until(self, text: str) -> list[str]:
        """Reads until a text is visible."""
        while not any(text in line for line in self.lines()):
            self._read()
        return self.lines()

    def _read(self) -> None:
        data = os.read(self._ours, 65536)
        assert data, f"it has ended: {self.lines()}"
        self._stream.feed(data)

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self._ours)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    if sys.platform == "win32":
        pytest.skip("has no pseudo-terminals")
    with contextlib.closing(Terminal(tmp_path)) as terminal:
        terminal.type("from uvenv import _progress; shown = _progress.observer(None); display = shown.__enter__()")
        yield terminal


def tell(terminal: Terminal, *events: dict[str, Any]) -> list[str]:
    """Passes events to the display and returns the visible lines."""
    for event in events:
        terminal.type(f"display.progress({event!r})")
    return terminal.lines()


def test_shows_nothing_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        with _progress.observer(None) as display:
            assert display is None


def test_shows_nothing_when_disabled(terminal: Terminal) -> None:
    seen = terminal.type("print(_progress.observer(False).__enter__())")
    assert seen == ["None"]


def test_disabled_progress_imports_nothing(repo_path: Path) -> None:
    code = "import sys, uvenv; uvenv.lock(); print(*[name for name in sys.modules if name in {'tqdm', 'IPython'}])"
    done = subprocess.run([sys.executable, "-c", code], cwd=repo_path, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
    assert done.stderr == ""


def test_shows_progress_anywhere_when_enabled() -> None:
    stream = io.StringIO()
    with contextlib.redirect_stderr(stream), _progress.observer(True) as display:
        assert display is not None
        display.progress(RESOLVING)
    assert "Resolving numpy" in stream.getvalue()


def test_terminal_shows_steps(terminal: Terminal) -> None:
    assert tell(terminal, {"step": "resolving", "package": None}) == ["Resolving"]
    assert tell(terminal, RESOLVING) == ["Resolving numpy"]
    (line,) = tell(terminal, {"step": "resolved", "packages": 3}, PREPARING)
    assert line.startswith("Preparing ")
    assert line.endswith(" 1/5")
    (line,) = tell(terminal, {"step": "building", "name": "foo"})
    assert line.startswith("Preparing: building foo ")
    (line,) = tell(terminal, {"step": "fetching", "url": "https://git.example.com/team/bar.git"})
    assert line.startswith("Preparing: building foo, fetching bar ")
    (line,) = tell(terminal, {"step": "built", "name": "foo"})
    assert line.startswith("Preparing: fetching bar ")
    (line,) = tell(terminal, {"step": "installing", "done": 2, "total": 4})
    assert line.startswith("Installing ")
    assert line.endswith(" 2/4")


def test_bars_disappear_at_the_end(terminal: Terminal) -> None:
    seen = tell(terminal, PREPARING, downloading("torch", MIB, 700 * MIB), downloading("numpy", 0, 20 * MIB))
    assert len(seen) == 4
    assert terminal.type("shown.__exit__(None, None, None); print('the report')") == ["the report"]
    assert terminal.screen.display[0].startswith("the report")


def test_downloads_are_counted_in_bytes(terminal: Terminal) -> None:
    (_, line) = tell(terminal, PREPARING, downloading("torch", 350 * MIB, 700 * MIB))
    assert line.startswith("Downloading torch:  50%|")
    assert "350M/700M" in line
    # A small file is only part of the total; a large one beside others has its own bar.
    (_, line, torch) = tell(terminal, downloading("six", 0, 11_000))
    assert line.startswith("Downloading torch, six:")
    assert torch.startswith("  torch:  50%|")
    (_, line, torch, numpy) = tell(terminal, downloading("numpy", MIB, 20 * MIB))
    assert "351M/720M" in line
    assert numpy.startswith("  numpy:")
    (_, line, numpy) = tell(terminal, {"step": "downloaded", "name": "torch"})
    assert "701M/720M" in line
    assert numpy.startswith("  numpy:")
    (line,) = tell(terminal, *({"step": "downloaded", "name": name} for name in ("six", "numpy")))
    assert line.startswith("Preparing")


def test_limits_the_number_of_download_bars(terminal: Terminal) -> None:
    files = [downloading(f"package-{number}", MIB, 100 * MIB) for number in range(30)]
    seen = tell(terminal, PREPARING, *files)
    assert len(seen) == 6
    assert seen[1].startswith("Downloading package-0, package-1, package-2 and")
    assert "30.0M/2.93G" in seen[1]


def test_unknown_size_shows_no_percentage(terminal: Terminal) -> None:
    (_, line) = tell(terminal, PREPARING, downloading("torch", 3 * MIB, None))
    assert line.startswith("Downloading torch: 3.00MB")
    (_, line, _) = tell(terminal, downloading("numpy", 0, 20 * MIB))
    assert "%" not in line


def test_shows_what_it_waits_for(terminal: Terminal) -> None:
    assert terminal.type("display.say('Resolved 6 packages in 1ms')") == []
    waiting = "Waiting for another process that is using .venv…"
    assert terminal.type(f"display.say({waiting!r})") == [waiting]
    assert tell(terminal, RESOLVING) == ["Resolving numpy"]


def test_ignores_unknown_events(terminal: Terminal) -> None:
    assert tell(terminal, {"step": "pondering", "depth": 3}, {"step": "resolved", "packages": 1}) == []


def test_a_terminal_without_a_size_shows_bars(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("has no pseudo-terminals")
    with contextlib.closing(Terminal(tmp_path, rows=0, columns=0)) as terminal:
        terminal.type("from uvenv import _progress; shown = _progress.observer(None); display = shown.__enter__()")
        assert len(tell(terminal, PREPARING, downloading("torch", MIB, 700 * MIB))) == 2


@pytest.mark.parametrize("exception", [ValueError, KeyboardInterrupt])
def test_bars_disappear_when_the_operation_fails(
    exception: type[BaseException], capfd: pytest.CaptureFixture[str]
) -> None:
    displays: list[_progress.Display] = []

    def work() -> None:
        with _progress.observer(True) as display:
            assert display is not None
            displays.append(display)
            display.progress(PREPARING)
            raise exception

    with pytest.raises(exception):
        work()
    screen = pyte.Screen(80, 24)
    pyte.Stream(screen).feed(capfd.readouterr().err.replace("\n", "\r\n"))
    assert "".join(screen.display).strip() == ""
    # A later step is ignored.
    displays[0].progress(RESOLVING)
    assert capfd.readouterr().err == ""


def test_closed_stream_does_not_disturb_the_work() -> None:
    stream = io.StringIO()
    with contextlib.redirect_stderr(stream), _progress.observer(True) as display:
        assert display is not None
        display.progress(PREPARING)
        stream.close()
        display.progress(RESOLVING)
        display.progress(downloading("torch", 1, 2))


def test_shows_concurrent_operations(capfd: pytest.CaptureFixture[str]) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with _progress.observer(True) as display:
                assert display is not None
                for done in range(200):
                    display.progress({"step": "preparing", "done": done, "total": 200})
                    display.progress(downloading(f"package-{number}", done, 200))
        except BaseException as error:  # noqa: BLE001 - a thread's would be lost
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    shown = capfd.readouterr().err
    assert all(f"Downloading package-{number}" in shown for number in range(8))
    screen = pyte.Screen(200, 60)
    pyte.Stream(screen).feed(shown.replace("\n", "\r\n"))
    assert "".join(screen.display).strip() == ""


def test_terminal_shows_a_real_sync(repo: uvenv.Monorepo, slow_package: SlowPackage) -> None:
    if sys.platform == "win32":
        pytest.skip("has no pseudo-terminals")
    with contextlib.closing(Terminal(repo.root)) as terminal:
        terminal.type("import uvenv")
        assert terminal.process.stdin is not None
        terminal.process.stdin.write("print(uvenv.sync(backend='none').changed)\n")
        terminal.process.stdin.flush()
        terminal.read_until("building slow")
        slow_package.be_quick()
        assert terminal.read_until("True") == ["True"]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    directory = tmp_path_factory.mktemp("kernel")
    with started(directory, jupyter_variables(directory)) as kernel:
        kernel.run("from uvenv import _progress")
        yield kernel


EVENTS = [PREPARING, downloading("torch", 350 * MIB, 700 * MIB), downloading("numpy", MIB, 20 * MIB)]


def operation(*events: dict[str, Any], progress: bool | None = None) -> str:
    """A cell that shows events and prints the display that it used."""
    told = json.dumps(events).replace("null", "None")
    return (
        f"with _progress.observer({progress}) as display:\n"
        f"    for event in {told}:\n        display and display.progress(event)\n"
        "print(display)"
    )


def test_notebook_shows_widgets(kernel: Kernel) -> None:
    outputs = kernel.run(operation(*EVENTS))
    assert outputs.stderr == ""
    assert len(outputs.data("application/vnd.jupyter.widget-view+json")) == 1
    states = [state for states in outputs.widgets.values() for state in states]
    texts = [str(state["value"]).replace("\u2007", " ") for state in states if "value" in state]
    assert any(text.startswith("Preparing") for text in texts)
    assert any("Downloading torch, numpy" in text for text in texts)
    assert any("351M/720M" in text for text in texts)
    assert {5, 700 * MIB, 20 * MIB, 720 * MIB} <= {state["max"] for state in states if "max" in state}


def test_saved_notebook_has_no_bars(kernel: Kernel) -> None:
    outputs = kernel.run(operation(*EVENTS))
    last = [one for one in outputs.messages if one["msg_type"] == "update_display_data"][-1]
    assert last["content"]["data"] == {}
    boxes = {
        identity
        for identity, states in outputs.widgets.items()
        if states[0].get("_model_name") in {"VBoxModel", "HBoxModel"}
    }
    assert boxes
    assert boxes <= outputs.closed_widgets


def test_interrupted_notebook_keeps_no_bars(kernel: Kernel) -> None:
    code = operation(*EVENTS).replace("\nprint(display)", "\n    raise KeyboardInterrupt")
    reply, outputs = kernel.try_to_run(code)
    assert reply["ename"] == "KeyboardInterrupt"
    last = [one for one in outputs.messages if one["msg_type"] == "update_display_data"][-1]
    assert last["content"]["data"] == {}
    assert not any(state.get("bar_style") == "danger" for states in outputs.widgets.values() for state in states)


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_interrupting_a_notebook_stops_uv(repo: uvenv.Monorepo, slow_package: SlowPackage, tmp_path: Path) -> None:
    with started(repo.root, jupyter_variables(tmp_path / "jupyter")) as kernel:
        kernel.client.execute("import uvenv\nuvenv.sync(backend='none')")
        slow_package.wait_until_it_is_built()
        kernel.manager.interrupt_kernel()
        reply: Any = kernel.client.get_shell_msg(timeout=PATIENCE)
        while reply["msg_type"] != "execute_reply":
            reply = kernel.client.get_shell_msg(timeout=PATIENCE)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        while is_there(slow_package.builder()):
            time.sleep(0.02)
        slow_package.be_quick()
        assert kernel.run("print(uvenv.sync(backend='none').changed)").stdout == "True\n"


def test_notebook_that_captures_output_shows_nothing(kernel: Kernel) -> None:
    outputs = kernel.run("%%capture kept\n" + operation(*EVENTS))
    assert not outputs.widgets
    assert kernel.run("print(kept.stdout, kept.stderr, kept.outputs)").stdout == "None\n  []\n"
    assert kernel.run(operation(*EVENTS, progress=False)).stdout == "None\n"


def test_notebook_shows_operations_in_threads(kernel: Kernel) -> None:
    body = operation(*EVENTS).replace("\nprint(display)", "").replace("\n", "\n    ")
    code = (
        f"import threading\ndef work():\n    {body}\n"
        "threads = [threading.Thread(target=work) for _ in range(4)]\n"
        "for thread in threads: thread.start()\nfor thread in threads: thread.join()"
    )
    outputs = kernel.run(code)
    assert outputs.stderr == ""
    assert len(outputs.data("application/vnd.jupyter.widget-view+json")) == 4


def test_notebook_without_widgets_shows_text(kernel: Kernel) -> None:
    kernel.run("import sys; kept = {n: sys.modules.pop(n) for n in list(sys.modules) if n.startswith('tqdm.notebook')}")
    try:
        outputs = kernel.run("sys.modules['ipywidgets'] = None\n" + operation(*EVENTS))
    finally:
        kernel.run("del sys.modules['ipywidgets']; sys.modules.update(kept)")
    assert "Preparing" in outputs.stderr
    assert "Warning" not in outputs.stderr
    assert not outputs.data("application/vnd.jupyter.widget-view+json")

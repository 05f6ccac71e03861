"""Live progress while uv works: widgets in Jupyter, text bars in a terminal, nothing if the output is not visible."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tqdm import tqdm

_LARGE = 16 * 1024 * 1024
"""The size in bytes from which a file gets its own bar."""

_LARGE_AT_ONCE = 4
"""The maximum number of bars for files."""

_NAMES_AT_ONCE = 3
"""The maximum number of names in a line."""

_WIDTH = 48
"""The maximum length of the description of a bar."""


class Display:
    """Shows the steps of one operation. Bars appear with the first step that takes time, and disappear at the end."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        # Steps are told by whichever thread reads uv's output.
        self._lock = threading.Lock()
        self._state = _State()
        self._closed = False

    def progress(self, event: dict[str, Any]) -> None:
        """Shows a step: a `Progress` of the core as JSON. Unknown steps are ignored."""
        with self._lock:
            if not self._closed and self._state.apply(event):
                self._draw()

    def say(self, line: str) -> None:
        """Shows lines about waiting and fetching; ignores the others."""
        with self._lock:
            if not self._closed and line.lstrip().lower().startswith(("waiting ", "fetching ")):
                self._state.stage = _Stage(line.strip())
                self._draw()

    def close(self) -> None:
        """Removes all bars."""
        with self._lock:
            self._closed = True
            # What cannot be drawn on cannot be cleaned either.
            with suppress(OSError, ValueError):
                self._bars.close()

    def _draw(self) -> None:
        try:
            self._state.draw(self._bars)
        except (OSError, ValueError):
            # The terminal is gone, or the stream closed. The work goes on without being seen.
            self._closed = True


@contextmanager
def observer(progress: bool | None) -> Generator[Display | None]:
    """Provides a display for one operation, if progress should be shown.

    Args:
        progress: Whether to show progress; `None` shows it only in a terminal or a notebook.

    Yields:
        The display, or `None` if nothing is shown.
    """
    if progress is False or (progress is None and not _is_seen()):
        yield None
        return
    display = Display(_bars())
    try:
        yield display
    finally:
        display.close()


def _is_seen() -> bool:
    """Returns whether output on stderr is visible at once, rather than captured or discarded."""
    stream: Any = sys.stderr
    if stream is None or getattr(stream, "closed", False):
        return False
    # In a kernel the stream is the notebook, unless output is captured.
    return bool(stream.isatty()) or (in_kernel() and type(stream).__module__.startswith("ipykernel."))


def in_kernel() -> bool:
    """Returns whether this is a Jupyter kernel, without importing IPython."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def _bars() -> Bars:
    if in_kernel():
        # Neither is a must: without them, text does.
        with suppress(ImportError):
            return _WidgetBars()
        return _TextBars(lines=1)
    return _TextBars(lines=2 + _LARGE_AT_ONCE)


class Bars(Protocol):
    """A set of bars, each with a key."""

    def show(self, key: str, text: str, done: int, total: int | None, *, unit: str) -> None:
        """Shows the progress of one item, without a bar if the total is unknown."""

    def drop(self, key: str) -> None:
        """Removes a bar, if it exists."""

    def close(self) -> None:
        """Removes all bars."""


class _Stage:
    """The current step of uv, with the number of items done and the total, if uv counts them."""

    def __init__(self, text: str, done: int = 0, total: int | None = None) -> None:
        self.text = text
        self.done = done
        self.total = total


class _State:
    """The state of the operation."""

    def __init__(self) -> None:
        self.stage: _Stage | None = None
        self.files: dict[str, tuple[int, int | None]] = {}
        """The downloads, by name: bytes so far, and in total."""
        self.current: dict[str, None] = {}
        """The downloads in progress, in the order in which they started."""
        self.busy: dict[str, str] = {}
        """The builds and fetches in progress, with their descriptions."""
        self.large: set[str] = set()
        """The files that have bars."""

    def apply(self, event: dict[str, Any]) -> bool:
        """Applies a step, and returns whether there is something new to show."""
        match event:
            case {"step": "resolving", "package": package}:
                self.stage = _Stage(f"Resolving {package}" if package else "Resolving")
            case {"step": "resolved"}:
                # Takes no time in itself; what follows may be nothing at all.
                return self.stage is not None and self._set(_Stage("Resolved"))
            case {"step": "preparing", "done": done, "total": total}:
                self.stage = _Stage("Preparing", done, total)
            case {"step": "installing", "done": done, "total": total}:
                self.stage = _Stage("Installing", done, total)
                # All is here by now, whether or not its end was seen.
                self.busy.clear()
                self.current.clear()
            case {"step": "downloading", "name": name, "bytes": done, "total": total}:
                self.files[name] = (done, total)
                self.current[name] = None
            case {"step": "downloaded", "name": name}:
                self._downloaded(name)
            case {"step": "building", "name": name}:
                self.busy[f"build {name}"] = f"building {name}"
            case {"step": "fetching", "url": url}:
                self.busy[f"fetch {url}"] = f"fetching {_repository(url)}"
            case {"step": "built", "name": name}:
                self.busy.pop(f"build {name}", None)
            case {"step": "fetched", "url": url}:
                self.busy.pop(f"fetch {url}", None)
            case _:
                return False
        return True

    def _set(self, stage: _Stage) -> bool:
        self.stage = stage
        return True

    def _downloaded(self, name: str) -> None:
        self.current.pop(name, None)
        done, total = self.files.get(name, (0, None))
        if name in self.files:
            self.files[name] = (total or done, total or done)

    def draw(self, bars: Bars) -> None:
        """Draws the current state."""
        stage = self.stage or _Stage("Preparing")
        bars.show("stage", self._text(stage), stage.done, stage.total, unit="")
        self._draw_downloads(bars)

    def _text(self, stage: _Stage) -> str:
        if not self.busy:
            return stage.text
        busy = _listed(list(self.busy.values()))
        return f"{stage.text}: {busy}" if stage.total is not None else busy[0].upper() + busy[1:]

    def _draw_downloads(self, bars: Bars) -> None:
        if not self.current:
            bars.drop("downloads")
        else:
            totals = [total for _, total in self.files.values()]
            known = [total for total in totals if total is not None]
            done = sum(done for done, _ in self.files.values())
            # A total that grows is no reason to show less than what is there already.
            total = max(sum(known), done) if len(known) == len(totals) else None
            bars.show("downloads", f"Downloading {_listed(list(self.current))}", done, total, unit="B")
        for name in self.large - self.current.keys():
            bars.drop(f"file {name}")
        self.large = self._large()
        for name in self.current:
            if name in self.large:
                done, total = self.files[name]
                bars.show(f"file {name}", f"  {name}", done, total, unit="B")

    def _large(self) -> set[str]:
        """Returns the files that get bars, first those that already have one."""
        kept = [name for name in self.current if name in self.large]
        others = [name for name in self.current if name not in self.large and (self.files[name][1] or 0) >= _LARGE]
        chosen = (kept + others)[:_LARGE_AT_ONCE]
        # One file alone is what the bar of all files shows.
        return set(chosen) if len(self.current) > 1 or self.large else set()


def _listed(names: list[str]) -> str:
    """Returns the first names, and the number of the others."""
    first = ", ".join(names[:_NAMES_AT_ONCE])
    return first if len(names) <= _NAMES_AT_ONCE else f"{first} and {len(names) - _NAMES_AT_ONCE} more"


def _repository(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2].removesuffix(".git") or url


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


class _TqdmBars:
    """Bars of tqdm; subclasses create them."""

    def __init__(self) -> None:
        self._shown: dict[str, tqdm[Any]] = {}

    def _make(self, _key: str, _arguments: dict[str, Any]) -> tqdm[Any] | None:
        raise NotImplementedError

    def _resize(self, bar: tqdm[Any], total: int) -> None:
        bar.total = total

    def show(self, key: str, text: str, done: int, total: int | None, *, unit: str) -> None:
        text = _cut(text)
        bar = self._shown.get(key)
        if bar is not None and (bar.total is None) != (total is None):
            self.drop(key)
            bar = None
        if bar is None:
            arguments = _of_bytes() if unit == "B" else _of_things(total)
            bar = self._make(key, {"desc": text, "initial": 0, "total": total, "leave": False, **arguments})
            if bar is None:
                return
            self._shown[key] = bar
        elif (bar.desc, bar.n, bar.total) == (text, done, total):
            return
        elif total is not None and total != bar.total:
            self._resize(bar, total)
        bar.set_description_str(text, refresh=False)
        # Through `update`, because tqdm measures the rate there; a step back is not measured.
        drawn = bar.update(done - bar.n) if done > bar.n else False
        bar.n = done
        if not drawn:
            bar.refresh()

    def drop(self, key: str) -> None:
        bar = self._shown.pop(key, None)
        if bar is not None:
            # A bar that is not full when it is closed would stay, red.
            bar.total = None
            bar.close()

    def close(self) -> None:
        for key in reversed(list(self._shown)):
            self.drop(key)


def _of_bytes() -> dict[str, Any]:
    return {"unit": "B", "unit_scale": True, "unit_divisor": 1024}


def _of_things(total: int | None) -> dict[str, Any]:
    return {"bar_format": "{desc}" if total is None else "{desc} {bar} {n_fmt}/{total_fmt}"}


class _TextBars(_TqdmBars):
    """Bars as lines of text, up to a maximum number."""

    def __init__(self, lines: int) -> None:
        from tqdm import tqdm

        super().__init__()
        self._lines = lines
        self._class = _without_monitor(tqdm)

    def _make(self, _key: str, arguments: dict[str, Any]) -> tqdm[Any] | None:
        if len(self._shown) >= self._lines:
            return None
        bar: tqdm[Any] = self._class(file=sys.stderr, **_size(), **arguments)
        return bar


def _size() -> dict[str, Any]:
    """Returns the size of bars: that of the terminal, if it is known. Some containers report 0 by 0."""
    with suppress(OSError, ValueError, AttributeError):
        if 0 not in os.get_terminal_size(sys.stderr.fileno()):
            return {"dynamic_ncols": True}
    return {"ncols": 80, "nrows": 24}


class _WidgetBars(_TqdmBars):
    """Jupyter widgets in one box: a single output of the cell, which is empty at the end."""

    def __init__(self) -> None:
        import ipywidgets
        from tqdm.notebook import tqdm_notebook

        super().__init__()
        self._class = _without_monitor(tqdm_notebook)
        self._box: Any = ipywidgets.VBox()
        self._output: Any = None

    def _make(self, _key: str, arguments: dict[str, Any]) -> tqdm[Any]:
        bar: Any = self._class(display=False, **arguments)
        shown: dict[str, Any] = {**self._shown, _key: bar}
        self._arrange([shown[one].container for one in sorted(shown, key=_rank)])
        made: tqdm[Any] = bar
        return made

    def _resize(self, bar: tqdm[Any], total: int) -> None:
        super()._resize(bar, total)
        container: Any = bar
        container.container.children[1].max = total

    def drop(self, key: str) -> None:
        if key in self._shown:
            gone: Any = self._shown[key]
            self._arrange([child for child in self._box.children if child is not gone.container])
        super().drop(key)

    def _arrange(self, children: list[Any]) -> None:
        self._box.children = children
        if self._output is None:
            from IPython import display

            interface: Any = display
            self._output = interface.display(self._box, display_id=True)

    def close(self) -> None:
        super().close()
        self._box.close()
        if self._output is not None:
            # A saved notebook would look for the widget in vain.
            self._output.update({}, raw=True)


def _rank(key: str) -> tuple[int, str]:
    return (("stage", "downloads").index(key) if key in {"stage", "downloads"} else 2, key)


def _without_monitor(kind: Any) -> Any:
    """Returns a bar class without the monitor thread of tqdm, because each event redraws the bars."""
    return type(kind.__name__, (kind,), {"monitor_interval": 0})

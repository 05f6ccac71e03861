"""Live progress while uv works: widgets in Jupyter, bars of text in a terminal, nothing where nobody looks."""

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
"""A file of this many bytes has a bar of its own."""

_LARGE_AT_ONCE = 4
"""How many bars of files there are at most."""

_NAMES_AT_ONCE = 3
"""How many names a line has at most."""

_WIDTH = 48
"""How many characters describe a bar at most."""


class Display:
    """Shows the steps of one operation. Bars appear with the first thing that takes time, and vanish at the end."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        # Steps are told by whichever thread reads uv's output.
        self._lock = threading.Lock()
        self._state = _State()
        self._closed = False

    def progress(self, event: dict[str, Any]) -> None:
        """Shows a step, a `Progress` of the core as JSON. Steps that are not known are passed over."""
        with self._lock:
            if not self._closed and self._state.apply(event):
                self._draw()

    def say(self, line: str) -> None:
        """Shows what is waited for; other lines are no progress."""
        with self._lock:
            if not self._closed and line.lstrip().lower().startswith(("waiting ", "fetching ")):
                self._state.stage = _Stage(line.strip())
                self._draw()

    def close(self) -> None:
        """Takes all bars away."""
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
    """A display for one operation, where one is wanted.

    Args:
        progress: Whether to show it; `None` for where somebody looks: in a terminal, and in a notebook.

    Yields:
        What to tell of progress, `None` where nothing is shown.
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
    """Whether what goes to stderr is seen at once, rather than kept or thrown away."""
    stream: Any = sys.stderr
    if stream is None or getattr(stream, "closed", False):
        return False
    # In a kernel the stream is the notebook, unless output is captured.
    return bool(stream.isatty()) or (in_kernel() and type(stream).__module__.startswith("ipykernel."))


def in_kernel() -> bool:
    """Whether this is a Jupyter kernel. IPython is not imported for the question."""
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
    """A place for bars, each known by a key."""

    def show(self, key: str, text: str, done: int, total: int | None, *, unit: str) -> None:
        """Shows how far something is, without a bar where nobody knows the total."""

    def drop(self, key: str) -> None:
        """Takes a bar away, if it is there."""

    def close(self) -> None:
        """Takes all away."""


class _Stage:
    """What uv is at, with how many of how many are done where it counts."""

    def __init__(self, text: str, done: int = 0, total: int | None = None) -> None:
        self.text = text
        self.done = done
        self.total = total


class _State:
    """What is known of the operation."""

    def __init__(self) -> None:
        self.stage: _Stage | None = None
        self.files: dict[str, tuple[int, int | None]] = {}
        """What is or was downloaded: bytes so far, and in all."""
        self.current: dict[str, None] = {}
        """The files that are on their way, in the order of their beginning."""
        self.busy: dict[str, str] = {}
        """What is being built or fetched, and how that is called."""
        self.large: set[str] = set()
        """The files that have bars."""

    def apply(self, event: dict[str, Any]) -> bool:
        """Takes a step in, and says whether there is something new to show."""
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
        """Shows all that there is to see."""
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
        """The files that have bars: those that had one before others."""
        kept = [name for name in self.current if name in self.large]
        others = [name for name in self.current if name not in self.large and (self.files[name][1] or 0) >= _LARGE]
        chosen = (kept + others)[:_LARGE_AT_ONCE]
        # One file alone is what the bar of all files shows.
        return set(chosen) if len(self.current) > 1 or self.large else set()


def _listed(names: list[str]) -> str:
    """The first names, and how many more there are."""
    first = ", ".join(names[:_NAMES_AT_ONCE])
    return first if len(names) <= _NAMES_AT_ONCE else f"{first} and {len(names) - _NAMES_AT_ONCE} more"


def _repository(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2].removesuffix(".git") or url


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


class _TqdmBars:
    """Bars of tqdm. What they are made of is for those that derive from this."""

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
    """Lines of text, as many as there may be."""

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
    """The size of bars: that of the terminal, where it knows its own. In some containers it says 0 times 0."""
    with suppress(OSError, ValueError, AttributeError):
        if 0 not in os.get_terminal_size(sys.stderr.fileno()):
            return {"dynamic_ncols": True}
    return {"ncols": 80, "nrows": 24}


class _WidgetBars(_TqdmBars):
    """Widgets of Jupyter, in one box. They are one output of the cell, which is empty at the end."""

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
    """A class of bars without tqdm's thread that redraws bars which are seldom updated: each event redraws them."""
    return type(kind.__name__, (kind,), {"monitor_interval": 0})

"""Jupyter kernels for the tests: real processes that use Jupyter's protocol."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

PATIENCE = 240
"""The time limit for a cell in seconds."""


@dataclass
class Outputs:
    """The output of a cell."""

    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def stream(self, name: str) -> str:
        """The text written to stdout or stderr."""
        contents = [message["content"] for message in self.messages if message["msg_type"] == "stream"]
        return "".join(content["text"] for content in contents if content["name"] == name)

    @property
    def stdout(self) -> str:
        return self.stream("stdout")

    @property
    def stderr(self) -> str:
        return self.stream("stderr")

    def data(self, mime: str) -> list[Any]:
        """The data that was displayed or returned, including later updates."""
        kinds = {"display_data", "execute_result", "update_display_data"}
        shown = [message["content"]["data"] for message in self.messages if message["msg_type"] in kinds]
        return [one[mime] for one in shown if mime in one]

    @property
    def widgets(self) -> dict[str, list[dict[str, Any]]]:
        """The states of the widgets, by widget id."""
        states: dict[str, list[dict[str, Any]]] = {}
        for message in self.messages:
            content = message["content"]
            if message["msg_type"] in {"comm_open", "comm_msg"} and "state" in content["data"]:
                states.setdefault(content["comm_id"], []).append(content["data"]["state"])
        return states

    @property
    def closed_widgets(self) -> set[str]:
        closed = [message for message in self.messages if message["msg_type"] == "comm_close"]
        return {message["content"]["comm_id"] for message in closed}


@dataclass
class Kernel:
    """A running kernel."""

    manager: KernelManager
    client: BlockingKernelClient

    def run(self, code: str) -> Outputs:
        """Runs a cell, which must succeed."""
        reply, outputs = self.try_to_run(code)
        assert reply["status"] == "ok", "\n".join(reply["traceback"]) + outputs.stderr
        return outputs

    def fail(self, code: str) -> tuple[str, str]:
        """Runs a cell, which must fail, and returns the name of the exception and everything shown about it."""
        reply, outputs = self.try_to_run(code)
        assert reply["status"] == "error"
        errors = [message["content"] for message in outputs.messages if message["msg_type"] == "error"]
        # Usage errors go to stderr.
        shown = ["\n".join(error["traceback"]) for error in errors] or [outputs.stderr]
        return reply["ename"], "\n".join(shown)

    def try_to_run(self, code: str) -> tuple[dict[str, Any], Outputs]:
        outputs = Outputs()
        reply: Any = self.client.execute_interactive(
            code, timeout=PATIENCE, output_hook=outputs.messages.append, allow_stdin=False
        )
        return reply["content"], outputs

    def complete(self, code: str) -> list[str]:
        """The completions that Tab offers at the end of a cell."""
        self.client.complete(code)
        reply: Any = self.client.get_shell_msg(timeout=PATIENCE)
        return list(reply["content"]["matches"])


def jupyter_variables(directory: Path) -> dict[str, str]:
    """Variables that keep Jupyter out of the home directory."""
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    directories = {name: directory / name.lower() for name in names}
    for made in directories.values():
        made.mkdir(parents=True, exist_ok=True)
    return {name: str(made) for name, made in directories.items()} | {"JUPYTER_PLATFORM_DIRS": "1"}


@contextmanager
def started(directory: Path, variables: Mapping[str, str], name: str = "python3") -> Generator[Kernel]:
    """A kernel that runs in a directory."""
    manager = KernelManager(kernel_name=name)
    manager.start_kernel(cwd=str(directory), env={**os.environ, **variables})
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

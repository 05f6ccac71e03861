"""Ctrl-C and the interrupt of a notebook are the same signal: uv stops, and the next call repairs the environment."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest
from conftest import SlowPackage

import uvenv

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")

SYNC = """
import sys, uvenv
repo = uvenv.Monorepo.discover(sys.argv[1])
try:
    repo.sync("dev", backend="none", progress=False)
except KeyboardInterrupt:
    # The process goes on.
    print("interrupted", repo.profiles["dev"].name, flush=True)
"""


def start(repo: uvenv.Monorepo) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SYNC, str(repo.root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ends(pid: int) -> bool:
    """Whether a process ends after it was stopped."""
    for _ in range(200):
        if not is_alive(pid):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("to", ["the process", "its group, as a terminal does"])
def test_interrupt_stops_uv_and_the_next_call_repairs(repo: uvenv.Monorepo, slow_package: SlowPackage, to: str) -> None:
    process = start(repo)
    slow_package.wait_until_it_is_built(process)
    builder = slow_package.builder()
    if to == "the process":
        process.send_signal(signal.SIGINT)
    else:
        os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert said == "interrupted dev\n"
    assert process.returncode == 0
    assert ends(builder)

    slow_package.be_quick()
    report = repo.sync("dev", backend="none")
    assert {"slow", "bench-utils"} <= {one.name for one in report.installed}
    assert repo.status().profiles[0].environments[0].state == "in-sync"


def test_interrupt_ends_waiting_for_another_process(repo: uvenv.Monorepo, slow_package: SlowPackage) -> None:
    first = start(repo)
    slow_package.wait_until_it_is_built(first)
    second = start(repo)
    try:
        # It only waits, and prints nothing that the test could wait for.
        time.sleep(1)
        assert second.poll() is None
        second.send_signal(signal.SIGINT)
        assert second.communicate(timeout=30)[0] == "interrupted dev\n"
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=30)


def test_runs_custom_signal_handlers(repo: uvenv.Monorepo, slow_package: SlowPackage) -> None:
    """A handler stops the operation only if it raises an exception."""
    seen = list[int]()

    def interrupt(*_: object) -> None:
        seen.append(len(seen))
        if len(seen) == 2:
            raise TimeoutError("enough")

    def send() -> None:
        slow_package.wait_until_it_is_built()
        for wanted in (1, 2):
            os.kill(os.getpid(), signal.SIGUSR1)
            while len(seen) < wanted:
                time.sleep(0.01)

    before = signal.signal(signal.SIGUSR1, interrupt)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        with pytest.raises(TimeoutError, match="enough"):
            repo.sync("dev", backend="none")
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)
    assert ends(slow_package.builder())


ASK = """
import sys, uvenv
repo = uvenv.Monorepo.discover(sys.argv[1])
try:
    if sys.argv[2] == "promote":
        repo.promote(to="prod", progress=False)
    else:
        repo.check(remote=True, progress=False)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def accepted(server: socket.socket, process: subprocess.Popen[str]) -> socket.socket:
    """Accepts a connection from a process."""
    server.settimeout(0.05)
    while True:
        assert process.poll() is None, "it has ended before"
        with suppress(TimeoutError):
            return server.accept()[0]


@pytest.mark.parametrize("call", ["promote", "check"])
def test_interrupts_a_hanging_remote(repo: uvenv.Monorepo, call: str) -> None:
    manifest = repo.root / "prod" / "pyproject.toml"
    with socket.create_server(("127.0.0.1", 0)) as server:
        remote = f"http://127.0.0.1:{server.getsockname()[1]}/bench-utils.git"
        pin = repo.profiles["prod"].pins["bench-utils"].url
        text = manifest.read_text().replace(pin, remote)
        assert remote in text
        manifest.write_text(text)
        command = [sys.executable, "-c", ASK, str(repo.root), call]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process,
            # git has connected and gets no answer.
            accepted(server, process),
        ):
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate()
        assert said == "interrupted\n"
    assert manifest.read_text() == text

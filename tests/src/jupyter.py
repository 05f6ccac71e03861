"""A front end of Jupyter: starts a kernel, runs code in it, and says as JSON what came of that.

`jupyter.py KERNEL CELL…`: each cell is run to its end, but for one that prints `interrupt me`, which is interrupted as
soon as it has. Then the kernel is asked to shut down.
"""

import json
import sys
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import LocalProvisioner

# Nothing takes that long; it is so that a test ends.
PATIENCE = 300


def run(manager: KernelManager, client: BlockingKernelClient, code: str) -> dict[str, str]:
    written: list[str] = []

    def show(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            written.append(message["content"]["text"])
            if "interrupt me" in message["content"]["text"]:
                manager.interrupt_kernel()

    reply = client.execute_interactive(code, output_hook=show, timeout=PATIENCE)["content"]
    return {"status": reply["status"], "error": reply.get("ename", ""), "stdout": "".join(written)}


def main(name: str, cells: list[str]) -> dict[str, Any]:
    manager = KernelManager(kernel_name=name)
    manager.start_kernel()
    try:
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        outcomes = [run(manager, client, code) for code in cells]
        client.shutdown()
        assert isinstance(manager.provisioner, LocalProvisioner)
        assert manager.provisioner.process
        return {"cells": outcomes, "status": manager.provisioner.process.wait(PATIENCE)}
    finally:
        if manager.is_alive():
            manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))

"""Says as JSON what this interpreter is, and where the one is that it comes from if it is that of an environment."""

import json
import platform
import sys
import sysconfig
from pathlib import Path

print(
    json.dumps(
        {
            "implementation": sys.implementation.name,
            "minor": sys.version_info.minor if sys.version_info.major == 3 else 0,
            "version": platform.python_version(),
            "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
            "python": str(Path(getattr(sys, "_base_executable", sys.executable)).resolve()),
        }
    )
)

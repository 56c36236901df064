"""The command line as a user calls it, in a process of its own."""

import os
import subprocess
import sys


def authbench(*arguments: str, timeout_s: float = 500, **environment: str) -> subprocess.CompletedProcess[str]:
    """Its exit code and both outputs, whatever the code is."""
    return subprocess.run(
        [sys.executable, "-m", "authbench.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )

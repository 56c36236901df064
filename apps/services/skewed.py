"""Runs a Python module with a clock that is wrong: `python -m apps.services.skewed 300 gunicorn …` is 300 s ahead.

Only what Python calls the time is moved; the kernel's timers and monotonic clocks go on as they are.
"""

import runpy
import sys
from datetime import UTC, datetime, timedelta

import time_machine


def main() -> None:
    """Moves the clock, then becomes the module."""
    seconds, module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    time_machine.travel(datetime.now(UTC) + timedelta(seconds=float(seconds)), tick=True).start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

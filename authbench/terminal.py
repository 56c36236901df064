"""The two consoles of the process: results go to stdout, everything else to stderr."""

import os
import sys

from rich.console import Console

# Into a file or a pipe goes the whole table, not the one that fits an 80-column terminal.
out = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120)
err = Console(stderr=True)


def complain(line: str) -> None:
    """One clear line to stderr, as it is: no markup, no folding."""
    err.print(f"authbench: {line}", style="red", markup=False, highlight=False, soft_wrap=True)

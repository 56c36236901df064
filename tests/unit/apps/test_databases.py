"""What settings make of the variables that say where the databases are and what becomes of a connection."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.shop.environment import databases
from apps.shop.session_router import SessionRouter

URL = "postgresql://shop:secret@127.0.0.1:5432/shop_x"
OTHER = "postgresql://shop:secret@127.0.0.1:5433/shop_x"


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONN_MAX_AGE", "POOL_SIZE", "TRANSACTION_POOLING", "SESSION_DATABASE_URL"):
        monkeypatch.delenv(f"AUTHBENCH_{name}", raising=False)
    monkeypatch.setenv("AUTHBENCH_DATABASE_URL", URL)


def made(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, dict[str, Any]]:
    for name, value in variables.items():
        monkeypatch.setenv(f"AUTHBENCH_{name}", value)
    return databases("authbench:x:x-1")


def test_by_default_connections_are_kept_and_there_is_one_database(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(monkeypatch)
    assert list(found) == ["default"]
    assert found["default"]["CONN_MAX_AGE"] == 60
    assert "pool" not in found["default"]["OPTIONS"]
    assert "DISABLE_SERVER_SIDE_CURSORS" not in found["default"]


def test_a_pool_has_its_size_and_a_limit_to_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(monkeypatch, CONN_MAX_AGE="0", POOL_SIZE="4")["default"]
    assert found["OPTIONS"]["pool"] == {"min_size": 1, "max_size": 4, "timeout": 2.0}
    assert found["CONN_MAX_AGE"] == 0


def test_a_pool_and_persistent_connections_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="AUTHBENCH_POOL_SIZE needs AUTHBENCH_CONN_MAX_AGE=0"):
        made(monkeypatch, POOL_SIZE="4")


def test_behind_a_transaction_pool_no_cursor_outlives_its_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    assert made(monkeypatch, TRANSACTION_POOLING="1")["default"]["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_sessions_may_have_a_server_of_their_own_pooled_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(monkeypatch, SESSION_DATABASE_URL=OTHER, CONN_MAX_AGE="0", POOL_SIZE="2")
    assert {alias: each["PORT"] for alias, each in found.items()} == {"default": "5432", "sessions": "5433"}
    assert all(each["OPTIONS"]["pool"]["max_size"] == 2 for each in found.values())


class _Model:
    def __init__(self, label: str) -> None:
        self._meta = type("Meta", (), {"app_label": label})


def test_only_sessions_are_sent_to_the_sessions_database() -> None:
    router = SessionRouter()
    assert (router.db_for_read(_Model("sessions")), router.db_for_write(_Model("sessions"))) == ("sessions",) * 2
    assert router.db_for_read(_Model("shop")) is None
    assert router.allow_migrate("sessions", "sessions") is True
    assert router.allow_migrate("sessions", "shop") is False
    assert router.allow_migrate("default", "sessions") is None

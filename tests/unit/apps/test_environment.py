from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.shop.environment import existing_folder, number, postgresql, required, signing_key

NAME = "AUTHBENCH_TEST"


def test_a_value_comes_from_the_variable_or_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"set {NAME}, or {NAME}_FILE"):
        required(NAME)
    monkeypatch.setenv(NAME, "a")
    assert required(NAME) == "a"
    (tmp_path / "secret").write_text("b\n", encoding="utf-8")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))
    assert required(NAME) == "b"
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "nothing"))
    with pytest.raises(ImproperlyConfigured, match="cannot read"):
        required(NAME)


def test_a_key_is_base64url_of_32_bytes_or_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "-_" * 21 + "8")
    assert len(signing_key(NAME)) == 32
    for wrong, message in (("AAECAw", "has 4 bytes"), ("ä" * 43, "not base64url"), ("+/" * 22, "not base64url")):
        monkeypatch.setenv(NAME, wrong)
        with pytest.raises(ImproperlyConfigured, match=message) as raised:
            signing_key(NAME)
        assert wrong not in str(raised.value)


def test_a_number_has_a_default_and_a_smallest_value(monkeypatch: pytest.MonkeyPatch) -> None:
    assert number(NAME, 7) == 7
    monkeypatch.setenv(NAME, "0")
    assert number(NAME, 7) == 0
    with pytest.raises(ImproperlyConfigured, match="at least 1"):
        number(NAME, 7, smallest=1)
    for wrong in ("-1", "1.5", "x", "²"):
        monkeypatch.setenv(NAME, wrong)
        with pytest.raises(ImproperlyConfigured, match="whole number"):
            number(NAME, 7)


def test_a_folder_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(NAME, str(tmp_path))
    assert existing_folder(NAME) == str(tmp_path)
    monkeypatch.setenv(NAME, str(tmp_path / "nothing"))
    with pytest.raises(ImproperlyConfigured, match="no folder"):
        existing_folder(NAME)


def test_a_database_address_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "postgresql://me:p%40ss@db.example:5433/shop?sslmode=verify-full")
    settings = postgresql(NAME, "authbench:none:r0")
    assert {key: settings[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "shop",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
    }
    assert settings["OPTIONS"]["sslmode"] == "verify-full"
    assert settings["OPTIONS"]["application_name"] == "authbench:none:r0"
    for wrong in ("mysql://localhost/shop", "postgresql://localhost", "shop"):
        monkeypatch.setenv(NAME, wrong)
        with pytest.raises(ImproperlyConfigured, match="not of the form"):
            postgresql(NAME, "")

"""Settings of Django REST framework's strategies, each read in a process of its own as a replica reads them."""

import base64
import importlib.util
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from apps.contract.registry import strategies

NAMES = [name for name in strategies() if name.startswith("drf-")]
ROOT = Path(__file__).parents[3]
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
SHOW = """
import json, sys
from importlib import import_module
module = import_module(sys.argv[1])
print(json.dumps({name: value for name, value in vars(module).items() if name.isupper()}, default=str))
"""


@cache
def settings_of(name: str) -> dict[str, Any]:
    """Durations and keys as text."""
    module = strategies()[name].settings
    environment = {
        "DJANGO_SETTINGS_MODULE": module,
        "AUTHBENCH_SECRET_KEY": "s",
        "AUTHBENCH_JWT_KEY": KEY,
        "AUTHBENCH_DATABASE_URL": "postgresql://u@h/d",
        "AUTHBENCH_JWT_LIFETIME_S": "600",
    }
    shown = subprocess.run(
        [sys.executable, "-c", SHOW, module], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_one_authentication_class_decides(name: str) -> None:
    assert list(settings_of(name)["REST_FRAMEWORK"]) == ["DEFAULT_AUTHENTICATION_CLASSES"]
    assert len(settings_of(name)["REST_FRAMEWORK"]["DEFAULT_AUTHENTICATION_CLASSES"]) == 1


@pytest.mark.parametrize("name", NAMES)
def test_tables_of_its_own_are_declared(name: str) -> None:
    shared = {"django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "apps.shop"}
    packages = set(settings_of(name)["INSTALLED_APPS"]) - shared
    made = [package for package in packages if _has_migrations(package)]
    assert bool(made) == strategies()[name].own_tables
    assert "rest_framework" in packages


def test_no_token_is_for_two_strategies() -> None:
    audiences = [settings_of(name)["SIMPLE_JWT"]["AUDIENCE"] for name in NAMES if "simplejwt" in name]
    audiences.append(settings_of("drf-jwt")["JWT_AUTH"]["JWT_AUDIENCE"])
    assert len(set(audiences)) == 3


def test_the_twins_differ_in_freshness_only() -> None:
    row, claims = (settings_of(name)["SIMPLE_JWT"] for name in ("drf-simplejwt", "drf-simplejwt-stateless"))
    assert {key for key in claims if row.get(key) != claims[key]} == {
        "AUDIENCE",
        "TOKEN_OBTAIN_SERIALIZER",
        "TOKEN_USER_CLASS",
    }
    for key in ("AUTHENTICATOR", "INSTALLED_APPS", "MIDDLEWARE"):
        assert settings_of("drf-simplejwt")[key] == settings_of("drf-simplejwt-stateless")[key]


def test_lifetimes_are_those_of_the_other_strategies() -> None:
    assert settings_of("drf-simplejwt")["SIMPLE_JWT"]["ACCESS_TOKEN_LIFETIME"] == "0:10:00"
    assert settings_of("drf-jwt")["JWT_AUTH"]["JWT_EXPIRATION_DELTA"] == "0:10:00"
    assert settings_of("drf-knox")["REST_KNOX"] == {"TOKEN_TTL": "12:00:00"}
    assert settings_of("drf-knox")["SESSION_COOKIE_AGE"] == 12 * 3600


def _has_migrations(package: str) -> bool:
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "migrations").is_dir()

"""What a replica is told through environment variables, read once when its settings load.

Every function raises ImproperlyConfigured with one clear line; no value of a secret is ever part of a message.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

try:
    from django.core.exceptions import ImproperlyConfigured
except ModuleNotFoundError:  # an environment of another framework

    class ImproperlyConfigured(Exception):  # type: ignore[no-redef]  # noqa: N818
        """Django's name for it."""


BASE64URL = re.compile(r"[A-Za-z0-9_-]+=*")
SMALLEST_KEY_BYTES = 32  # RFC 7518, section 3.2: a key of the hash's size or larger
MOST_FORMER_KEYS = 4
POOL_TIMEOUT_S = 2.0  # for a connection of the pool, as long as for a new one; then the answer is 503


def required(name: str) -> str:
    """The variable's value, the content of the file that `<name>_FILE` points to, or what the vault has of it."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {path} ({type(error).__name__})") from None
    else:
        value = optional(name)
    if not value:
        raise ImproperlyConfigured(f"set {name}, or {name}_FILE to a file that holds it")
    return value


def optional(name: str) -> str:
    """The variable's value, or what the vault has of it where one is configured; empty where neither has it."""
    value = os.environ.get(name, "")
    if not os.environ.get("AUTHBENCH_VAULT_ADDR"):
        return value
    from apps.shop import vault  # noqa: PLC0415 - only where there is one

    try:
        kept = vault.opened().secrets.get(name, "")
    except vault.VaultError as error:
        raise ImproperlyConfigured(str(error)) from None
    if kept and value:
        raise ImproperlyConfigured(f"{name} is in the environment, though the vault has it: take it out of there")
    return kept or value


def signing_key(name: str) -> bytes:
    """A key in base64url, at least 32 bytes long."""
    return _key(name, required(name))


def former_keys(name: str) -> tuple[bytes, ...]:
    """Further keys, each as `signing_key` takes one, with commas between; none where nothing is set.

    Whatever they signed is accepted, and nothing is signed with them: what a rotation needs while old credentials live.
    """
    return tuple(_key(name, text) for text in _listed(name))


def former_secrets(name: str) -> list[str]:
    """Django's SECRET_KEY_FALLBACKS: texts of at least 32 bytes with commas between; none where nothing is set."""
    found = _listed(name)
    if short := [text for text in found if len(text.encode()) < SMALLEST_KEY_BYTES]:
        raise ImproperlyConfigured(
            f"{name} holds one of {len(short[0].encode())} bytes; each needs at least {SMALLEST_KEY_BYTES}"
        )
    return found


def _listed(name: str) -> list[str]:
    """What stands between commas. Few: each one more is one more signature to compute for whatever is refused."""
    if not (os.environ.get(f"{name}_FILE") or optional(name)):
        return []
    found = [text.strip() for text in required(name).split(",")]
    if len(found) > MOST_FORMER_KEYS:
        raise ImproperlyConfigured(f"{name} holds {len(found)} keys; at most {MOST_FORMER_KEYS} are accepted")
    return found


def _key(name: str, text: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if BASE64URL.fullmatch(text) else None
    except binascii.Error:
        key = None
    if key is None:
        raise ImproperlyConfigured(f"{name} is not base64url")
    if len(key) < SMALLEST_KEY_BYTES:
        raise ImproperlyConfigured(f"{name} has {len(key)} bytes; HS256 needs at least {SMALLEST_KEY_BYTES}")
    return key


def shared_secret(name: str) -> str:
    """A secret that two processes know, as it is sent: base64url of at least 32 bytes."""
    signing_key(name)
    return required(name)


def service_address(name: str) -> str:
    """`http://host:port`, or `in-process:` for a service without a process of its own."""
    address = required(name)
    if address != "in-process:" and not re.fullmatch(r"http://[a-z0-9.-]+:[0-9]{1,5}", address):
        raise ImproperlyConfigured(f"{name} is not of the form http://host:port")
    return address


def number(name: str, default: int, smallest: int = 0) -> int:
    """A whole number, at least `smallest`."""
    text = os.environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) < smallest:
        raise ImproperlyConfigured(f"{name} is {text!r}, not a whole number of at least {smallest}")
    return int(text)


def existing_file(name: str) -> str:
    """The path of a file that exists: what is in it is read again when it changes."""
    path = os.environ.get(name, "")
    if not path:
        raise ImproperlyConfigured(f"set {name} to the path of a file")
    if not Path(path).is_file():
        raise ImproperlyConfigured(f"{name}: there is no file {path}")
    return path


def existing_folder(name: str) -> str:
    """A folder that exists."""
    folder = required(name)
    if not Path(folder).is_dir():
        raise ImproperlyConfigured(f"{name}: there is no folder {folder}")
    return folder


def postgresql(name: str, connection_name: str) -> dict[str, Any]:
    """Django's settings for `postgresql://user:password@host:port/name?sslmode=…`.

    The query's members go to libpq as they are. `connection_name` is what `pg_stat_activity.application_name` shows.
    """
    url = urlsplit(required(name))
    if url.scheme not in ("postgresql", "postgres") or not url.path.strip("/"):
        raise ImproperlyConfigured(f"{name} is not of the form postgresql://user:password@host:port/database")
    libpq: Mapping[str, Any] = {
        "application_name": connection_name,
        "connect_timeout": 2,  # seconds
        "tcp_user_timeout": 5000,  # milliseconds until a peer that no longer acknowledges counts as gone
        **dict(parse_qsl(url.query)),
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
        "OPTIONS": dict(libpq),
    }


def databases(connection_name: str) -> dict[str, dict[str, Any]]:
    """Django's DATABASES: `default`, and `sessions` where AUTHBENCH_SESSION_DATABASE_URL names another for them.

    What becomes of a connection after its request is the same for both: AUTHBENCH_CONN_MAX_AGE, or psycopg's pool of
    AUTHBENCH_POOL_SIZE in every process (and for every database), or a proxy that pools transactions.
    """
    urls = {"default": "AUTHBENCH_DATABASE_URL"}
    if optional("AUTHBENCH_SESSION_DATABASE_URL"):
        urls["sessions"] = "AUTHBENCH_SESSION_DATABASE_URL"
    return {alias: _kept(postgresql(name, connection_name)) for alias, name in urls.items()}


def _kept(database: dict[str, Any]) -> dict[str, Any]:
    age, size = number("AUTHBENCH_CONN_MAX_AGE", 60), number("AUTHBENCH_POOL_SIZE", 0)
    if size and age:
        raise ImproperlyConfigured("AUTHBENCH_POOL_SIZE needs AUTHBENCH_CONN_MAX_AGE=0: a pool keeps its connections")
    database["CONN_MAX_AGE"] = age
    if size:
        pool = {"min_size": 1, "max_size": size, "timeout": POOL_TIMEOUT_S}
        database["OPTIONS"]["pool"] = pool
    if number("AUTHBENCH_TRANSACTION_POOLING", 0):
        # The next transaction may be another server connection's. Prepared statements are off in Django as it is.
        database["DISABLE_SERVER_SIDE_CURSORS"] = True
    return database

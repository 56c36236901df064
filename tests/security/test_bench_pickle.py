"""No pickle in any cache or session that is configured, nor in what they hold after use, nor anywhere in the code."""

import ast
import base64
import contextlib
import json
import pickletools
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis

from apps.contract.credentials import anonymous
from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.stack.replicas import ROOT
from tests.integration.shop_stack import SIGNING_KEYS, ShopStack
from tests.keys import rsa_key, write_signing_keys

OWN = {name: each for name, each in strategies().items() if each.settings.startswith("apps.strategies.")}
STORING = (
    *("session-cached-db", "session-cache-claims", "session-file", "drf-session", "drf-knox"),
    *("jwt-once", "jwt-refresh", "opaque-introspection-cached"),
)
CARRYING = ("session-cookie", "session-page")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
PREFERENCES = {"theme": "dark", "language": "名前"}
# What imports one of these, or calls `eval` or `exec`, lets data become code.
FORBIDDEN = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}
SETTINGS = """
import json, sys
import django
from django.conf import settings
django.setup()
from django.core.cache import caches
from django.utils.module_loading import import_string
told = {"session": settings.SESSION_SERIALIZER, "engine": settings.SESSION_ENGINE, "caches": {}}
for name in settings.CACHES:
    cache = caches[name]
    if settings.CACHES[name]["BACKEND"].endswith("RedisCache"):
        told["caches"][name] = type(cache._cache._serializer).__name__
        written = cache._cache._serializer.dumps({"a": [1, "b"]})
    else:
        cache.set("a", {"a": [1, "b"]})
        assert cache.get("a") == {"a": [1, "b"]}
        assert cache.add("b", 1) and not cache.add("b", 2) and cache.incr("b", 2) == 3 == cache.get("b")
        written = cache._cache[cache.make_key("a")]
        told["caches"][name] = type(cache).__name__
    told["written"] = written.decode("latin-1")
told["pickling"] = sorted(set(sys.modules) & {"dill", "cloudpickle", "shelve", "joblib"})
print(json.dumps(told))
"""


def is_pickle(data: bytes) -> bool:
    """Whether the bytes are a pickle of protocol 2 or later from the first to the last."""
    if not data.startswith(b"\x80") or not data.endswith(b"."):
        return False
    with contextlib.suppress(Exception):
        *_, (last, _, place) = pickletools.genops(data)
        return last.name == "STOP" and place == len(data) - 1
    return False


def pickles_in(data: bytes) -> Iterator[bytes]:
    """What of the data is a pickle: all of it, or a part that is base64 of one, or of a compressed one."""
    for part in (data, *BASE64.findall(data)):
        padded = part + b"=" * (-len(part) % 4)
        candidates = [part]
        with contextlib.suppress(ValueError):
            candidates.append(base64.b64decode(padded, altchars=b"-_"))
        with contextlib.suppress(ValueError):
            candidates.append(base64.b64decode(padded))
        for candidate in list(candidates):
            with contextlib.suppress(zlib.error):
                candidates.append(zlib.decompress(candidate))
        yield from (candidate for candidate in candidates if is_pickle(candidate))


def test_the_search_finds_pickles_however_they_are_dressed() -> None:
    pickled = bytes.fromhex("80049513000000000000007d948c0161945d94284b018c016294652e")[:-1] + b"s."
    assert is_pickle(pickled)
    for dressed in (
        pickled,
        base64.b64encode(pickled),
        b"session:" + base64.urlsafe_b64encode(pickled) + b":signature",
        base64.urlsafe_b64encode(zlib.compress(pickled)).rstrip(b"="),
    ):
        assert list(pickles_in(dressed)), dressed
    assert not list(pickles_in(b'{"a":[1,"b"]}'))


def test_no_code_of_ours_reads_what_could_be_code() -> None:
    found = []
    for folder in ("apps", "authbench", "loadtests", "reports"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                found += [f"{path.relative_to(ROOT)}:{node.lineno} {name}" for name in _named(node)]
    assert found == []


def _named(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names if each.name.partition(".")[0] in FORBIDDEN]
    if isinstance(node, ast.ImportFrom):
        return [str(node.module)] if str(node.module).partition(".")[0] in FORBIDDEN else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
        return [node.func.id]
    return []


def test_what_each_strategy_configures_writes_json(tmp_path: Path) -> None:
    """Asked of its settings in a process of its own; no store is needed for that."""
    write_signing_keys(tmp_path / SIGNING_KEYS, rsa_key())
    (tmp_path / "sessions").mkdir()
    nowhere = ShopStack(tmp_path, 1, 1)
    names = [name for name, each in OWN.items() if each.counted_in_process]
    with ThreadPoolExecutor(2) as pool:
        asked = dict(zip(names, pool.map(lambda name: _configured(nowhere, name), names), strict=True))
    for name, told in asked.items():
        assert told["session"] == "django.contrib.sessions.serializers.JSONSerializer", name
        assert set(told["caches"].values()) == {"JsonMemory" if name == "session-locmem" else "JsonValues"}, name
        assert json.loads(told["written"]) == {"a": [1, "b"]}, name
        assert told["pickling"] == [], name


def _configured(stores: ShopStack, name: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", SETTINGS],
        cwd=ROOT,
        env=stores.environment(OWN[name].settings.rpartition(".")[2], AUTHBENCH_AUTH_URL="http://127.0.0.1:1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_stands_in_stores_and_credentials_after_use_is_no_pickle() -> None:
    chosen = [OWN[name] for name in (*STORING, *CARRYING)]
    with EmbeddedStack(strategies=chosen, replicas=1) as stack:
        stack.seed(users=20, orders=20)
        stack.start_replicas()
        with httpx.Client(trust_env=False) as http:
            carried = {each.name: _use(http, stack, each.name) for each in chosen}
        held = {name: list(_held(stack, name)) for name in carried}
        for name in STORING:
            assert held[name], name  # there was something to look at
        found = {
            name: [each[:60] for data in (*held[name], *carried[name]) for each in pickles_in(data)] for name in carried
        }
        assert {name: each for name, each in found.items() if each} == {}


def _use(http: httpx.Client, stack: EmbeddedStack, name: str) -> list[bytes]:
    """A login, preferences that are kept with it, and a look; what the client holds then."""
    url, carrier = stack.url(name), OWN[name].carrier
    credential, held = anonymous(carrier), []
    for method, path, body in (
        ("POST", "/api/login", {"username": "user00001", "password": stack.user_password}),
        ("PUT", "/api/preferences", PREFERENCES),
        ("GET", "/api/whoami?preferences=1", None),
    ):
        page = None if method == "GET" else f"https://{url.removeprefix('http://')}"
        answer = http.request(method, url + path, json=body, headers=list(credential.attach(page)))
        assert answer.status_code == 200, (name, path, answer.text)
        http.cookies.clear()
        credential = credential.absorb(answer.headers.multi_items(), answer.content)
        held += [value.encode() for _, value in credential.attach()]
    assert answer.json()["preferences"] == PREFERENCES
    return held


def _held(stack: EmbeddedStack, name: str) -> Iterator[bytes]:
    """Every value that the strategy keeps: in its cache database, its files, and its tables of sessions and tokens."""
    origin = stack.cache_url.rpartition("/")[0]
    with redis.Redis.from_url(f"{origin}/{stack.cache_database(name)}") as cache:
        for key in cache.scan_iter():
            yield from (key, cache.get(key) if cache.type(key) == b"string" else b"")
    for path in stack.session_folder(name).rglob("*"):
        if path.is_file():
            yield path.read_bytes()
    with psycopg.connect(stack.dsn(name)) as connection:
        tables = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND table_name ~ '(session|token|famil|login|preference)' "
            "AND data_type IN ('text', 'character varying', 'bytea')"
        ).fetchall()
        for table, column in tables:
            for (value,) in connection.execute(f'SELECT "{column}" FROM "{table}" LIMIT 100').fetchall():
                yield bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()

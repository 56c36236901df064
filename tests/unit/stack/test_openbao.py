"""OpenBao's files and addresses, and what the bench says where it does not answer; without the program."""

import json
from pathlib import Path

import pytest

from apps.contract.registry import strategies
from authbench.backends.vaulted import secrets_of, vaulted, without_secrets
from authbench.errors import StackError
from authbench.stack.openbao import OpenBao
from authbench.stack.service import Service
from authbench.stack.vault import Role, Vault


def server(folder: Path, port: int = 1) -> OpenBao:
    return OpenBao(Path("/usr/bin/bao"), folder / "openbao", port, 10_002)


def test_it_listens_on_loopback_only_and_keeps_nothing_on_disk(tmp_path: Path) -> None:
    made = server(tmp_path, 10_001)
    service = made.service(tmp_path / "log", ())
    written = json.loads((made.folder / "openbao.json").read_text())
    assert written["storage"] == {"inmem": {}}
    (listener,) = written["listener"]
    assert listener["tcp"]["address"] == "127.0.0.1:10001"
    assert listener["tcp"]["cluster_address"] == "127.0.0.1:10002"
    assert service.tier == "vault"
    assert "-dev" not in " ".join(service.command)  # it would print its root token
    assert not [name for name in service.environment if "TOKEN" in name]


def test_where_it_does_not_answer_the_bench_says_what_and_where(tmp_path: Path) -> None:
    vault = Vault(server(tmp_path))
    with pytest.raises(StackError, match=r"openbao: cannot set it up at http://127\.0\.0\.1:1: ConnectionError"):
        vault.open()


def test_a_role_tells_replicas_no_secret() -> None:
    told = Role("a-role", "secret/data/x", "").environment("http://127.0.0.1:1")
    assert told == {
        "AUTHBENCH_VAULT_ADDR": "http://127.0.0.1:1",
        "AUTHBENCH_VAULT_ROLE_ID": "a-role",
        "AUTHBENCH_VAULT_SECRETS": "secret/data/x",
    }


def test_an_environment_is_parted_in_secrets_and_the_rest() -> None:
    environment = {
        "AUTHBENCH_JWT_KEY": "a",
        "AUTHBENCH_DATABASE_URL": "b",
        "AUTHBENCH_RSA_KEY": "c",
        "AUTHBENCH_SERVICE_SECRET": "d",
        "AUTHBENCH_EDGE_SECRET": "e",
        "AUTHBENCH_CACHE_URL": "",
        "AUTHBENCH_WORKERS": "1",
        "PATH": "/bin",
    }
    assert without_secrets(environment) == {"AUTHBENCH_WORKERS": "1", "PATH": "/bin"}
    own = {"AUTHBENCH_JWT_KEY": "a", "AUTHBENCH_DATABASE_URL": "b"}
    known = strategies()
    assert secrets_of(environment, known["jwt-rs256"]) == own  # private keys go to transit
    assert secrets_of(environment, known["opaque-introspection"]) == own | {"AUTHBENCH_SERVICE_SECRET": "d"}
    assert secrets_of(environment, known["edge-jwt"]) == own | {"AUTHBENCH_EDGE_SECRET": "e"}


def test_several_uvicorn_workers_are_refused_since_one_login_is_read_once(tmp_path: Path) -> None:
    told = {"AUTHBENCH_SERVING": "asgi", "AUTHBENCH_WORKERS": "2"}
    replica = Service("x-1", "app", ("/bin/true",), tmp_path, tmp_path / "log", told)
    with pytest.raises(StackError, match="x-1: several uvicorn workers cannot share one login at OpenBao"):
        vaulted(Vault(server(tmp_path)), replica, "x", strategies()["jwt-hs256"])

"""Real replicas with a real OpenBao: where secrets are, who may read them, and what happens when it is away."""

import base64
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import hvac
import hvac.exceptions
import pytest
import requests

from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.backends.vaulted import PRIVATE_KEYS, SECRETS
from authbench.deployable import Needs
from authbench.deployment import Deployment
from authbench.errors import StackError
from authbench.probes.cpu import CpuProbe
from authbench.stack.openbao import NAME
from authbench.stack.service import Service

pytestmark = pytest.mark.slow
SHARED, RSA, EC, ED = "jwt-hs256", "jwt-rs256", "jwt-es256", "jwt-eddsa"
STRATEGIES = (SHARED, RSA, EC, ED)
PATIENCE_S = 20.0
SHORT_S = 6  # a token's life after each renewal, instead of ten minutes
KEPT = Deployment(replicas=1, secrets="openbao")
Answer = httpx.Response


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    chosen = [strategies()[name] for name in STRATEGIES]
    with EmbeddedStack(strategies=chosen, replicas=1, needs=Needs(openbao=True)) as made:
        made.seed(users=20, orders=20)
        made.start_replicas(deployment=KEPT)
        yield made


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture(scope="module")
def login(stack: EmbeddedStack, http: httpx.Client) -> Callable[[str], Answer]:
    body = {"username": "user00001", "password": stack.user_password}
    return lambda strategy: http.post(f"{stack.url(strategy)}/api/login", json=body)


@pytest.fixture(scope="module")
def whoami(stack: EmbeddedStack, http: httpx.Client) -> Callable[[str, str], int]:
    def ask(strategy: str, token: str) -> int:
        answer = http.get(f"{stack.url(strategy)}/api/whoami", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code != 200 or answer.json()["username"] == "user00001"
        return answer.status_code

    return ask


def token_of(answer: Answer) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def served(stack: EmbeddedStack, before: dict[str, int]) -> dict[str, int]:
    """Calls that OpenBao has served since, without the bench's own (sys: the counts are read there)."""
    since = {name: count - before.get(name, 0) for name, count in stack.vault.calls().items()}
    return {name: count for name, count in since.items() if count and not name.endswith(" sys")}


def as_role(stack: EmbeddedStack, strategy: str) -> hvac.Client:
    """Whoever has what a replica of that strategy is handed."""
    session = requests.Session()
    session.trust_env = False
    client = hvac.Client(stack.vault.server.url, token="", session=session, timeout=5)
    client.token = stack.vault.hand_over(strategy, 60).decode()
    secret_id = client.sys.unwrap()["data"]["secret_id"]
    client.token = ""
    client.auth.approle.login(stack.vault.role(strategy).role_id, secret_id)
    return client


# Where secrets are


def test_no_secret_is_in_an_environment_a_command_line_or_a_file(stack: EmbeddedStack, login: Any) -> None:
    for strategy in STRATEGIES:
        token_of(login(strategy))
    keys = stack._keys
    bodies = ["".join(pem.splitlines()[1:-1]) for pem in (keys.rsa, keys.ec, keys.ed)]
    passwords = [stack.valkey.password, stack.postgres.password, stack.parts.databases.password]
    secrets = {
        text.encode()
        for each in (*stack.vault.secrets(), *passwords, keys.secret, keys.jwt, keys.service, keys.edge, *bodies)
        for text in (each, base64.b64encode(each.encode()).decode())
    }
    assert len(stack.vault.secrets()) > 4 + len(STRATEGIES)
    for service in stack.tiers:
        for pid in stack.pids(service):
            for place in ("environ", "cmdline"):
                content = Path(f"/proc/{pid}/{place}").read_bytes()
                assert not [secret for secret in secrets if secret in content], (service, place)
                if stack.tiers[service] == "app" and place == "environ":
                    names = {line.partition(b"=")[0].decode() for line in content.split(b"\0")}
                    assert not names & {*SECRETS, *PRIVATE_KEYS}
                    assert "AUTHBENCH_VAULT_ADDR" in names
    searched = 0
    for path in stack.folder.parent.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            searched += 1
            assert not [secret for secret in secrets if secret in content], path
    assert searched > 100  # PostgreSQL's files among them


def test_a_replica_that_signs_nothing_there_gives_its_token_back(stack: EmbeddedStack) -> None:
    before = stack.vault.calls()
    stack.begin_replica(SHARED, 1, {})
    assert served(stack, before) == {
        "update auth_approle": 2,  # the bench's secret_id, the replica's login
        "read secret": 1,
        "update auth_token": 1,  # revoked
    }


# What it costs


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_only_what_signs_calls_it_and_once(
    stack: EmbeddedStack, http: httpx.Client, login: Any, whoami: Any, strategy: str
) -> None:
    signs = {"update transit": 1} if strategy != SHARED else {}
    before = stack.vault.calls()
    token = token_of(login(strategy))
    assert served(stack, before) == signs
    bearer = {"Authorization": f"Bearer {token}"}
    for method, path, body, expected in (
        ("GET", "/api/whoami", None, {}),
        ("GET", "/api/orders", None, {}),
        ("POST", "/api/orders", {"item": "a", "quantity": 1}, {}),
        ("PUT", "/api/preferences", {"theme": "dark"}, signs),
        ("POST", "/api/refresh", None, signs),
        ("POST", "/api/logout", None, {}),
    ):
        before = stack.vault.calls()
        answer = http.request(method, f"{stack.url(strategy)}{path}", headers=bearer, json=body)
        assert answer.status_code in (200, 201), (path, answer.text)
        assert served(stack, before) == expected, path


def test_what_the_bench_minted_is_valid_since_the_key_is_the_same(stack: EmbeddedStack, whoami: Any) -> None:
    rows = [json.loads(line) for line in stack.mint(strategies()[RSA], 1).read_text().splitlines()]
    assert whoami(RSA, rows[0]["credential"]["access_token"]) == 200


def test_its_cpu_is_charged_to_the_tier_vault(stack: EmbeddedStack, login: Any) -> None:
    probe = CpuProbe(stack)
    probe.before(RSA)
    for _ in range(5):
        token_of(login(RSA))
    assert probe.after().cpu_s["vault"] > 0
    assert stack.versions[NAME].startswith("2.")
    assert stack.settings[NAME]["storage"] == "inmem"
    assert any(sentence.startswith("OpenBao") for sentence in stack.softened)


# Who may do what


def test_a_role_reads_its_own_document_and_nothing_else(stack: EmbeddedStack) -> None:
    role, document = as_role(stack, SHARED), {"mount_point": "secret", "raise_on_deleted_version": True}
    assert role.secrets.kv.v2.read_secret_version(SHARED, **document)["data"]["data"]["AUTHBENCH_JWT_KEY"]
    for forbidden in (
        lambda: role.secrets.kv.v2.read_secret_version(RSA, **document),
        lambda: role.secrets.kv.v2.list_secrets("", mount_point="secret"),
        lambda: role.secrets.kv.v2.read_secret_metadata(SHARED, mount_point="secret"),
        lambda: role.secrets.kv.v2.create_or_update_secret(SHARED, {"a": "b"}, mount_point="secret"),
        lambda: role.secrets.kv.v2.delete_latest_version_of_secret(SHARED, mount_point="secret"),
        lambda: role.secrets.transit.sign_data(RSA, "eA==", mount_point="transit"),
        lambda: role.secrets.transit.list_keys(mount_point="transit"),
        lambda: role.auth.approle.read_role_id(SHARED),
        lambda: role.auth.approle.generate_secret_id(SHARED),
        role.auth.token.create,
        role.auth.token.lookup_self,
        role.sys.list_policies,
        role.sys.list_mounted_secrets_engines,
        lambda: role.read("cubbyhole/a"),
        role.sys.seal,
    ):
        with pytest.raises(hvac.exceptions.Forbidden):
            forbidden()


def test_a_role_signs_with_its_own_key_and_cannot_have_it(stack: EmbeddedStack) -> None:
    role = as_role(stack, RSA)
    assert role.secrets.transit.sign_data(RSA, "eA==", mount_point="transit")["data"]["signature"]
    for forbidden in (
        lambda: role.secrets.transit.sign_data(EC, "eA==", mount_point="transit"),
        lambda: role.secrets.transit.read_key(EC, mount_point="transit"),
        lambda: role.secrets.transit.export_key(RSA, "signing-key", mount_point="transit"),
        lambda: role.secrets.transit.backup_key(RSA, mount_point="transit"),
        lambda: role.secrets.transit.rotate_key(RSA, mount_point="transit"),
        lambda: role.secrets.transit.update_key_configuration(RSA, exportable=True, mount_point="transit"),
        lambda: role.secrets.transit.delete_key(RSA, mount_point="transit"),
        lambda: role.secrets.transit.decrypt_data(RSA, "vault:v1:eA==", mount_point="transit"),
    ):
        with pytest.raises(hvac.exceptions.Forbidden):
            forbidden()
    root = stack.vault._client  # not even the bench gets it out
    with pytest.raises(hvac.exceptions.InvalidRequest):
        root.secrets.transit.export_key(RSA, "signing-key", mount_point="transit")
    with pytest.raises(hvac.exceptions.VaultError):
        root.secrets.transit.backup_key(RSA, mount_point="transit")


def test_what_a_replica_is_handed_is_good_once(stack: EmbeddedStack) -> None:
    session = requests.Session()
    session.trust_env = False
    handed = stack.vault.hand_over(SHARED, 60).decode()
    client = hvac.Client(stack.vault.server.url, token=handed, session=session, timeout=5)
    secret_id = client.sys.unwrap()["data"]["secret_id"]
    client.token = handed
    with pytest.raises(hvac.exceptions.VaultError):
        client.sys.unwrap()
    client.token = ""
    client.auth.approle.login(stack.vault.role(SHARED).role_id, secret_id)
    client.token = ""
    with pytest.raises(hvac.exceptions.VaultError):
        client.auth.approle.login(stack.vault.role(SHARED).role_id, secret_id)


# Rotation


def test_a_new_version_of_a_document_is_what_the_next_start_reads(
    stack: EmbeddedStack, login: Any, whoami: Any
) -> None:
    old, version = token_of(login(SHARED)), stack.vault.version(SHARED)
    fresh = base64.urlsafe_b64encode(bytes(range(48))).decode()
    stack.begin_replica(SHARED, 1, {"AUTHBENCH_JWT_KEY": fresh})
    assert stack.vault.version(SHARED) == version + 1
    assert whoami(SHARED, old) == 401
    assert whoami(SHARED, token_of(login(SHARED))) == 200
    stack.vault.write(SHARED, {"AUTHBENCH_JWT_KEY_FALLBACKS": fresh})
    stack.begin_replica(SHARED, 1, {})
    assert whoami(SHARED, old) == 200
    stack.vault.restore(SHARED)


def test_a_new_version_of_a_key_is_known_first_then_signs_and_the_old_one_goes(
    stack: EmbeddedStack, login: Any, whoami: Any
) -> None:
    old = token_of(login(RSA))
    assert stack.vault.rotate_transit(RSA) == 2
    stack.begin_replica(RSA, 1, {"AUTHBENCH_SIGNING_KEY_VERSION": "1"})
    between = token_of(login(RSA))
    stack.begin_replica(RSA, 1, {})
    new = token_of(login(RSA))
    assert [whoami(RSA, token) for token in (old, between, new)] == [200, 200, 200]
    stack.vault.retire_transit(RSA, before=2)
    stack.begin_replica(RSA, 1, {})
    assert [whoami(RSA, token) for token in (old, between, new)] == [401, 401, 200]


# A bad day


@contextmanager
def sealed(stack: EmbeddedStack) -> Iterator[None]:
    stack.vault.seal()
    try:
        yield
    finally:
        stack.vault.unseal()


@contextmanager
def paused(stack: EmbeddedStack) -> Iterator[None]:
    stack.running(NAME).pause()
    try:
        yield
    finally:
        stack.running(NAME).resume()


@pytest.mark.parametrize(("away", "asked"), [(sealed, STRATEGIES), (paused, (SHARED, ED))])
def test_running_replicas_go_on_without_it(
    stack: EmbeddedStack, login: Any, whoami: Any, away: Callable[[EmbeddedStack], Any], asked: tuple[str, ...]
) -> None:
    tokens = {strategy: token_of(login(strategy)) for strategy in asked}
    with away(stack):
        for strategy, token in tokens.items():
            answer = login(strategy)
            if strategy == SHARED:
                assert whoami(strategy, token_of(answer)) == 200
            else:
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
                assert answer.headers["Content-Type"] == "application/problem+json"
            assert whoami(strategy, token) == 200
    for strategy in asked:
        until(lambda name=strategy: login(name).status_code == 200)  # type: ignore[misc]


def late(stack: EmbeddedStack, handed: bytes) -> Service:
    """One more replica of the first strategy, which was handed its login before."""
    service = stack.running(f"{SHARED}-1").service
    return replace(
        service, name=f"{SHARED}-late", log=stack.log(f"{SHARED}-late"), handed=lambda: handed, ready=lambda: False
    )


def refusal(stack: EmbeddedStack, handed: bytes) -> str:
    """The one line that the bench shows of a replica that does not start."""
    service = late(stack, handed)
    with pytest.raises(StackError) as refused:
        stack.start(service)
    said = service.log.read_text().splitlines()
    service.log.unlink()
    assert len(said) == 1, said
    assert said[0] in str(refused.value)
    assert not [secret for secret in stack.vault.secrets() if secret in str(refused.value)]
    return said[0]


def test_new_replicas_do_not_start_while_it_is_sealed(stack: EmbeddedStack) -> None:
    handed = stack.vault.hand_over(SHARED, 60)
    with sealed(stack):
        said = refusal(stack, handed)
        with pytest.raises(StackError, match=f"cannot make a secret_id for {SHARED} at {stack.vault.server.url}"):
            stack.begin_replica(SHARED, 1, {})
    assert said == f"shop: OpenBao at {stack.vault.server.url} is sealed or has no leader (503)"
    stack.begin_replica(SHARED, 1, {})


def test_new_replicas_do_not_start_with_a_login_that_was_used(stack: EmbeddedStack) -> None:
    handed = stack.vault.hand_over(SHARED, 60)
    as_other = hvac.Client(stack.vault.server.url, token=handed.decode(), timeout=5)
    as_other.sys.unwrap()
    assert "does not unwrap the secret_id of standard input: it was used or has expired" in refusal(stack, handed)
    assert "standard input brings no wrapped secret_id" in refusal(stack, b"")


def short_token_ends(stack: EmbeddedStack) -> str:
    """When the one token with so short a period ends, as OpenBao says it."""
    root = stack.vault._client
    accessors = root.list("auth/token/accessors")["data"]["keys"]
    held = (root.lookup_token(accessor, accessor=True)["data"] for accessor in accessors)
    (ends,) = [str(each["expire_time"]) for each in held if each.get("period") == SHORT_S]
    return ends


def test_a_token_is_renewed_while_it_can_be_and_a_replica_without_one_signs_nothing(
    stack: EmbeddedStack, login: Any, whoami: Any
) -> None:
    stack.vault.admit(EC, "ES256", token_s=SHORT_S)
    stack.begin_replica(EC, 1, {})
    ends = short_token_ends(stack)
    until(lambda: short_token_ends(stack) > ends)
    token = token_of(login(EC))
    stack.vault.revoke_tokens()
    assert login(EC).status_code == 503
    assert whoami(EC, token) == 200
    log = stack.log(f"{EC}-1")
    until(lambda: "nothing more is signed until this replica is started anew" in log.read_text())
    assert "Traceback" not in log.read_text()
    stack.begin_replica(EC, 1, {})
    assert whoami(EC, token_of(login(EC))) == 200


def test_without_it_running_replicas_go_on_and_new_ones_do_not_start(
    stack: EmbeddedStack, login: Any, whoami: Any
) -> None:
    """The last: what it kept is gone with it."""
    stack.begin_replica(ED, 1, {})  # its token was revoked with the others
    tokens = {strategy: token_of(login(strategy)) for strategy in (SHARED, ED)}
    handed = stack.vault.hand_over(SHARED, 60)
    stack.take_down(NAME, signal.SIGKILL)
    assert {strategy: whoami(strategy, token) for strategy, token in tokens.items()} == {SHARED: 200, ED: 200}
    assert (login(SHARED).status_code, login(ED).status_code) == (200, 503)
    said = refusal(stack, handed)
    assert said == f"shop: OpenBao at {stack.vault.server.url} does not answer (ConnectionRefusedError)"

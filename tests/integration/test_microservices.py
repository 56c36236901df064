"""Services that each check the caller, as real processes: exact counts, one caller, and nobody let in without right."""

import base64
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from apps.contract.credentials import load
from apps.contract.endpoints import Caller
from apps.contract.registry import strategies
from apps.services.mesh import _internal_header
from apps.services.mesh._told import ALGORITHM, INTERNAL_AUDIENCE, PUBLIC_AUDIENCE
from apps.strategies._tokens import Signer, claims_for
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.experiments.ground import Ground
from authbench.experiments.services import measurement
from authbench.experiments.services.measures import MEASURES
from authbench.experiments.services.mesh import GATEWAY, Mesh
from authbench.experiments.services.plan import CHECKINGS, ServicesPlan, services_of
from authbench.experiments.services.requests import answer_of, path_of
from authbench.experiments.services.ways import WAYS
from authbench.generator import Generator
from authbench.machine import split_cores
from authbench.observed import Observation
from authbench.progress import Silent
from authbench.runner import pinned

pytestmark = pytest.mark.slow
STRATEGIES = ("session-db", "opaque-introspection", "jwt-es256")
PLAN = ServicesPlan(
    kind="services",
    topology=("chain-4", "fan-out-2"),
    users=10,
    warm_up_requests=4,
    rate_rps=20,
    rate_s=0.2,
    closed_s=0.1,
    connections=1,
    attempts=1,
)
Headers = Mapping[str, str]
# Auth-tier calls of a request through n services: for each of them, and for the request.
CALLS = {
    "session": (2, 0),  # the session's row and the user's
    "introspection": (1, 0),
    "forwarded-jwt": (0, 0),
    "exchanged-jwt": (0, 1),
    "edge-header": (0, 0),
}


class Visit:
    """What is tried on the running mesh of one way, once; outcomes by name, for tests to look at."""

    def __init__(self, stack: EmbeddedStack, mesh: Mesh, minted: Mapping[str, Minted]) -> None:
        assert mesh.way is not None
        self._stack, self._mesh, self._way = stack, mesh, mesh.way
        rows = minted[mesh.way.strategy].unverified
        self._row, self._other, self._ended = rows[0], rows[1], rows[2]
        issuer = stack.application("jwt-es256").environment
        self._user_key = load_pem_private_key(issuer["AUTHBENCH_EC_KEY"].encode(), None)
        self._internal_key = load_pem_private_key(mesh._secrets.internal.encode(), None)
        self._header_key = _key(mesh._secrets.header)
        self.outcome: dict[str, Any] = {}

    def make(self) -> dict[str, Any]:
        """Everything; the outcomes."""
        credential = self._carried(self._row)
        with httpx.Client() as client:
            self._client = client
            for topology in PLAN.topology:
                answer = self._ask(GATEWAY, path_of(topology), credential)
                right = answer_of(topology, self._row["id"], self._row["username"])
                self.outcome[topology] = (answer.status_code, answer.content == right)
            self._keep_alive(credential)
            self._refusals(credential)
            self.outcome["beyond"] = self._ask(GATEWAY, "/chain/5", credential).status_code
            self.outcome["environments"] = {
                name: _environment(self._stack, name) for name in (GATEWAY, "mesh-1", "mesh-4")
            }
        return self.outcome

    def _keep_alive(self, credential: Headers) -> None:
        before = self._mesh.received()
        for _ in range(6):
            self._ask(GATEWAY, "/chain/4", credential)
        grown = self._mesh.received().since(before)
        self.outcome["six more"] = (grown.requests, grown.connections)

    def _refusals(self, credential: Headers) -> None:
        """Status of each, at the gateway and at services that are reached past it."""
        good, expired, forged = self._at_services()
        self.outcome["a service, by its own credential"] = self._statuses(good)
        self.outcome["a service, without"] = self._statuses({})
        self.outcome["a service, forged"] = self._statuses(forged)
        self.outcome["a service, expired"] = self._statuses(expired)
        self.outcome["the gateway, without"] = self._ask(GATEWAY, "/chain/4", {}).status_code
        outside = {name: _altered(value) for name, value in credential.items()}
        self.outcome["the gateway, forged"] = self._ask(GATEWAY, "/chain/4", outside).status_code
        if self._way.strategy == "jwt-es256":
            self.outcome["the gateway, expired"] = self._ask(
                GATEWAY, "/chain/4", _bearer(self._token(self._user_key, PUBLIC_AUDIENCE, -1))
            ).status_code
            inside = _bearer(self._token(self._internal_key, INTERNAL_AUDIENCE, 60))
            self.outcome["the gateway, an exchanged token"] = self._ask(GATEWAY, "/chain/4", inside).status_code
            self.outcome["a service, the user's token"] = self._statuses(credential)
        header = {_internal_header.NAME: self._header(self._other, 0)}
        self.outcome["the gateway, an internal header alone"] = self._ask(GATEWAY, "/chain/4", header).status_code
        both = self._ask(GATEWAY, "/chain/1", {**credential, **header})
        self.outcome["the gateway, another's internal header"] = (both.status_code, both.json().get("username"))
        self.outcome["username"] = self._row["username"]

    def _at_services(self) -> tuple[Headers, Headers, Headers]:
        """Headers that services of this way take, the same of a login that has ended, and the first altered."""
        match self._way.checking:
            case "exchanged-jwt":
                good = _bearer(self._token(self._internal_key, INTERNAL_AUDIENCE, 60))
                expired = _bearer(self._token(self._internal_key, INTERNAL_AUDIENCE, -1))
            case "edge-header":
                good = {_internal_header.NAME: self._header(self._row, 0)}
                expired = {_internal_header.NAME: self._header(self._row, _internal_header.WINDOW_S + 2)}
            case "forwarded-jwt":
                good = self._carried(self._row)
                expired = _bearer(self._token(self._user_key, PUBLIC_AUDIENCE, -1))
            case _:
                good, expired = self._carried(self._row), self._carried(self._ended)
                self._end(self._ended)
        return good, expired, {name: _altered(value) for name, value in good.items()}

    def _end(self, row: Mapping[str, Any]) -> None:
        """Its login's row has expired."""
        with psycopg.connect(self._stack.dsn(self._way.strategy), autocommit=True) as database:
            if self._way.checking == "session":
                (key,) = row["credential"]["cookies"].values()
                done = database.execute(
                    "UPDATE django_session SET expire_date = now() - interval '1 s' WHERE session_key = %s", (key,)
                )
            else:
                done = database.execute(
                    "UPDATE opaque_tokens_accesstoken SET expires = 1 WHERE user_id = %s", (row["id"],)
                )
            assert done.rowcount == 1

    def _statuses(self, headers: Headers) -> set[int]:
        return {self._ask(name, "/chain/1", headers).status_code for name in ("mesh-1", "mesh-3")}

    def _ask(self, process: str, path: str, headers: Headers) -> httpx.Response:
        return self._client.get(self._mesh.url_of(process) + path, headers=headers)

    def _carried(self, row: Mapping[str, Any]) -> Headers:
        return dict(load(strategies()[self._way.strategy].carrier, row["credential"]).attach(None))

    def _token(self, key: Any, audience: str, ends_in_s: int) -> str:
        now = int(time.time())
        caller = Caller(self._row["id"], self._row["username"], ())
        claims = claims_for(caller, now=now - 100, expires=now + ends_in_s, auth_time=now - 100)
        return Signer(ALGORITHM, key, audience).sign(claims)

    def _header(self, row: Mapping[str, Any], age_s: int) -> str:
        caller = Caller(row["id"], row["username"], ())
        return _internal_header.sign(self._header_key, caller, INTERNAL_AUDIENCE, int(time.time()) - age_s)


@pytest.fixture(scope="module")
def seen() -> Iterator[tuple[list[Observation], dict[str, dict[str, Any]]]]:
    """Everything observed on one launch, and what was tried on each way's mesh while it ran."""
    chosen = tuple(strategies()[name] for name in STRATEGIES)
    rows: list[Observation] = []
    visits: dict[str, dict[str, Any]] = {}
    meshes: list[Mesh] = []

    class Kept(Mesh):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            meshes.append(self)

    cores = split_cores(frozenset(os.sched_getaffinity(0)))
    with (
        pytest.MonkeyPatch.context() as patched,
        pinned(cores),
        EmbeddedStack(strategies=chosen, replicas=1, cores=cores.stack) as stack,
    ):
        patched.setattr(measurement, "Mesh", Kept)
        stack.seed(users=20, orders=20)
        minted = {name: Minted.read(file) for name, file in stack.mint_all(chosen, 15).items()}

        def record(row: Observation) -> None:
            rows.append(row)
            checking = str(row.levels["checking"])
            if sum(each.levels["checking"] == checking for each in rows) == len(PLAN.topology):  # its last
                visits[checking] = Visit(stack, meshes[0], minted).make()

        with Generator(stack.folder / "generator.log", cores.generator) as generator:
            ground = Ground(stack, chosen, minted, generator, 1, 1, frozenset(), record, Silent())
            measurement.measure(ground, PLAN)
        assert not [name for name in stack.tiers if name.startswith("mesh")]
    yield rows, visits


@pytest.fixture
def rows(seen: tuple[list[Observation], dict[str, dict[str, Any]]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """(way, topology) -> values."""
    return {(str(row.levels["checking"]), str(row.levels["topology"])): row.values for row in seen[0]}


@pytest.fixture
def visits(seen: tuple[list[Observation], dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Way -> what was tried."""
    return seen[1]


Rows = dict[tuple[str, str], Mapping[str, Any]]
Visits = dict[str, dict[str, Any]]


def test_every_combination_is_observed_once_and_every_answer_was_right(
    seen: tuple[list[Observation], dict[str, dict[str, Any]]], rows: Rows
) -> None:
    assert set(rows) == {(way, topology) for way in CHECKINGS for topology in PLAN.topology}
    assert len(seen[0]) == len(rows)
    codes = {reason.code for row in seen[0] for reason in row.reasons}
    assert not codes & {"errors", "wrong-user", "no-requests"}
    known = {each.name for each in MEASURES}
    assert all(values.keys() == known for values in rows.values())


def test_auth_tier_calls_are_exact(rows: Rows) -> None:
    for (way, topology), values in rows.items():
        a_service, a_request = CALLS[way]
        assert values["checks"] == services_of(topology)
        assert values["auth_calls"] == a_service * services_of(topology) + a_request, (way, topology)


def test_statements_reach_the_auth_database_from_services_or_from_its_own_service(rows: Rows) -> None:
    for (way, topology), values in rows.items():
        expected = {"session": 2, "introspection": 1}.get(way, 0)
        assert values["statements"] == expected * services_of(topology)
        assert (values["db_connections"] > 0) == (expected > 0)


def test_the_credential_s_bytes_are_those_of_every_hop(rows: Rows) -> None:
    a_hop = {way: rows[way, "chain-4"]["header_bytes"] for way in CHECKINGS}
    assert a_hop["session"] < a_hop["introspection"] < a_hop["edge-header"] < a_hop["forwarded-jwt"]
    # What users send is the same, whatever services get instead.
    assert len({rows[way, "chain-4"]["edge_bytes"] for way in ("forwarded-jwt", "exchanged-jwt", "edge-header")}) == 1
    assert all(rows[way, "chain-4"]["header_bytes"] == rows[way, "fan-out-2"]["header_bytes"] for way in CHECKINGS)


def test_every_service_names_the_same_caller(visits: Visits) -> None:
    assert set(visits) == set(CHECKINGS)
    for outcome in visits.values():
        assert [outcome[topology] for topology in PLAN.topology] == [(200, True), (200, True)]
        assert outcome["beyond"] == 404


def test_connections_between_services_are_kept(visits: Visits) -> None:
    assert {way: outcome["six more"] for way, outcome in visits.items()} == dict.fromkeys(CHECKINGS, (24, 0))


def test_a_service_lets_nobody_in_who_reaches_it_past_the_gateway(visits: Visits) -> None:
    for way, outcome in visits.items():
        assert outcome["a service, by its own credential"] == {200}, way
        for tried in ("without", "forged", "expired"):
            assert outcome[f"a service, {tried}"] == {401}, (way, tried)


def test_the_gateway_lets_nobody_in_with_a_bad_credential(visits: Visits) -> None:
    for way, outcome in visits.items():
        assert outcome["the gateway, without"] == outcome["the gateway, forged"] == 401, way
        assert outcome["the gateway, an internal header alone"] == 401, way
        assert outcome.get("the gateway, expired", 401) == 401, way


def test_a_client_s_own_internal_header_is_not_looked_at(visits: Visits) -> None:
    for way, outcome in visits.items():
        assert outcome["the gateway, another's internal header"] == (200, outcome["username"]), way


def test_tokens_are_worth_something_on_their_own_side_only(visits: Visits) -> None:
    for way in ("forwarded-jwt", "exchanged-jwt", "edge-header"):
        assert visits[way]["the gateway, an exchanged token"] == 401
    assert visits["forwarded-jwt"]["a service, the user's token"] == {200}
    assert visits["exchanged-jwt"]["a service, the user's token"] == {401}
    assert visits["edge-header"]["a service, the user's token"] == {401}


def test_no_process_knows_what_another_s_part_needs(visits: Visits) -> None:
    for way, outcome in visits.items():
        for name, environment in outcome["environments"].items():
            known = WAYS[way].knows.get("gateway" if name == GATEWAY else "service", ())
            secrets = {key for key in environment if key.endswith(("_KEY", "_SECRET", "_KEYS_FILE"))}
            assert secrets == {"AUTHBENCH_SECRET_KEY", *(key for key in known if key != "AUTHBENCH_AUTH_URL")}, way
            assert not [key for key, value in environment.items() if "PRIVATE KEY" in value], way


def _bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def _altered(value: str) -> str:
    """Another character near the end, of the same alphabet; not the last, whose bits may not all count."""
    return value[:-3] + ("b" if value[-3] == "a" else "a") + value[-2:]


def _key(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _environment(stack: EmbeddedStack, name: str) -> dict[str, str]:
    pairs = Path(f"/proc/{stack.running(name).pid}/environ").read_bytes().decode().rstrip("\0").split("\0")
    return dict(pair.split("=", 1) for pair in pairs)

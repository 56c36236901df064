"""The OpenAPI document says the truth of every strategy: asked by schemathesis, through nginx, on the real stores.

Nothing that is sent may end in a 5xx, whoever sends it; every status, content type, header and body is one that the
document names.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from schemathesis import Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.contract.credentials import CSRF_HEADER, Credential, Headers, load
from apps.contract.endpoints import ENDPOINTS, PROBLEM_JSON, names_caller
from apps.contract.registry import Strategy, strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.stack.replicas import ROOT
from tests.security.generated import DOCUMENT, Asked, Odd, asked, document, odd_credentials

pytestmark = pytest.mark.slow
TRUTHS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OWN = {name: each for name, each in strategies().items() if each.settings.startswith("apps.strategies.")}
HALVES = (tuple(OWN)[::2], tuple(OWN)[1::2])
LOGINS = 80  # more than requests that a login of its own is spent on
TIMEOUT_S = 10
# What a request that is right may still be refused for, with a credential that is right.
REFUSED: dict[str, set[int]] = {
    "login": {401},  # nobody of that name
    "reports-sales": {403},  # without the permission
    "preferences": {400, 409},  # more than 1024 bytes in all; no state to keep them in
    "refresh": {401},  # another refresh token than the login's
}


@dataclass
class Subject:
    """One strategy, and the logins that are left to ask it with."""

    strategy: Strategy
    url: str
    logins: Iterator[dict[str, Any]]
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def login(self) -> tuple[Credential, str]:
        """One that nobody has used, and whose it is."""
        row = next(self.logins)
        return load(self.strategy.carrier, row["credential"]), row["username"]

    def headers(self, credential: Credential, endpoint: str) -> Headers:
        unsafe = ENDPOINTS[endpoint].method != "GET"
        return credential.attach(f"https://{urlsplit(self.url).netloc}" if unsafe else None)

    def ask(self, question: Asked, headers: Headers, *more: Any) -> Response:
        """The answer, held to the document. Raises what schemathesis found wrong with it."""
        told = {name: value.encode("latin-1") for name, value in headers}
        response = question.case.call(
            base_url=self.url, session=self.session, headers=told, timeout=TIMEOUT_S, allow_redirects=False
        )
        question.case.validate_response(response, checks=[*TRUTHS, *more])
        return response


@pytest.fixture(scope="module")
def questions() -> list[Asked]:
    return asked(document())


@pytest.fixture(scope="module", params=HALVES, ids=("even", "odd"))
def subjects(request: pytest.FixtureRequest) -> Iterator[list[Subject]]:
    chosen = [OWN[name] for name in request.param]
    with EmbeddedStack(strategies=chosen, replicas=1) as stack:
        stack.seed(users=2 * LOGINS, orders=200)
        paths = stack.mint_all(chosen, LOGINS)
        stack.start_replicas()
        yield [Subject(each, stack.url(each.name), iter(Minted.read(paths[each.name], 0).rows)) for each in chosen]


def problems_of(subjects: list[Subject], ask: Any) -> dict[str, str]:
    """Strategy -> what went wrong first; every strategy is asked, whatever the ones before it did."""
    found = {}
    for subject in subjects:
        try:
            ask(subject)
        except (Exception, ExceptionGroup) as error:
            found[subject.strategy.name] = f"{type(error).__name__}: {error}"[:1500]
    return found


def test_the_committed_document_is_what_the_code_says() -> None:
    stores = {"AUTHBENCH_SECRET_KEY": "s" * 50, "AUTHBENCH_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    written = [
        subprocess.run(
            [sys.executable, "-W", "error", "-m", "apps.shop.manage", "openapi"],
            cwd=ROOT,
            env={"DJANGO_SETTINGS_MODULE": f"apps.strategies.{strategy}", "PYTHONHASHSEED": seed, **stores},
            capture_output=True,
            check=True,
        ).stdout
        for strategy, seed in (("none", "1"), ("session_db", "2"))
    ]
    assert written[0] == written[1] == DOCUMENT.read_bytes(), "run `manage.py openapi > docs/schemas/openapi.json`"


def test_the_document_names_the_contract_s_endpoints_and_no_others() -> None:
    told = document()
    found = {
        (operation["operationId"], method.upper(), path): operation
        for path, operations in told["paths"].items()
        for method, operation in operations.items()
    }
    assert set(found) == {(each.name, each.method, each.path) for each in ENDPOINTS.values()}
    assert set(told["x-strategies"]) == set(OWN)
    for (name, _, _), operation in found.items():
        assert str(ENDPOINTS[name].status) in operation["responses"]
        assert ("401" in operation["responses"]) == (ENDPOINTS[name].authenticated or name == "login")


def test_a_replica_knows_nothing_of_the_document(subjects: list[Subject]) -> None:
    for subject in subjects:
        for address in ("/schema", "/openapi.json", "/api/schema"):
            # A balancer that authenticates refuses before anybody looks whether there is such an address.
            status = subject.session.get(f"{subject.url}{address}", timeout=TIMEOUT_S).status_code
            assert status == (401 if subject.strategy.edge else 404), subject.strategy.name


def test_credentials_travel_as_the_document_says(subjects: list[Subject]) -> None:
    told = document()
    schemes = told["components"]["securitySchemes"]
    for subject in subjects:
        name = subject.strategy.name
        credential, _ = subject.login()
        sent = dict(subject.headers(credential, "orders-create"))
        cookies = {each.partition("=")[0] for each in sent.pop("Cookie", "").split("; ") if each}
        sent.pop("Origin", None)
        expected = [schemes[scheme] for scheme in told["x-strategies"][name]["schemes"]]
        assert cookies == {each["name"] for each in expected if each.get("in") == "cookie"}, name
        assert set(sent) == {each.get("name", "Authorization") for each in expected if each.get("in") != "cookie"}, name
        if authorization := sent.get("Authorization"):
            assert authorization.split()[0] == ("Bearer" if expected[0]["type"] == "http" else "Token"), name
        assert (CSRF_HEADER in sent) == (name == "drf-session")


def test_strangers_get_what_the_document_says_and_nothing_that_is_somebody_s(
    subjects: list[Subject], questions: list[Asked]
) -> None:
    def ask(subject: Subject) -> None:
        for question in questions:
            response = subject.ask(question, ())
            if ENDPOINTS[question.endpoint].authenticated and subject.strategy.name != "none":
                assert response.status_code == 401, (question.endpoint, response.text)
                assert response.headers["content-type"] == [PROBLEM_JSON]

    assert problems_of(subjects, ask) == {}


def test_callers_get_what_the_document_says(subjects: list[Subject], questions: list[Asked]) -> None:
    statuses: dict[str, Counter[int]] = {}

    def ask(subject: Subject) -> None:
        seen = statuses[subject.strategy.name] = Counter()
        for question in questions:
            if question.endpoint == "login":  # costs a password hash, and has no credential to send
                continue
            endpoint = ENDPOINTS[question.endpoint]
            credential, username = subject.login() if endpoint.authenticated else (None, "")
            headers = subject.headers(credential, question.endpoint) if credential else ()
            more = (
                []
                if question.valid or question.endpoint in ("refresh", "logout", "whoami")
                else [negative_data_rejection]
            )
            response = subject.ask(question, headers, *more)
            if question.valid:
                expected = {endpoint.status, *REFUSED.get(question.endpoint, ())}
                if question.endpoint == "orders-create" and type(question.case.body["quantity"]) is float:
                    expected = {400}  # 2.0 is a whole number to JSON Schema, and none to the shop
                assert response.status_code in expected, (question.case.body, response.status_code, response.text)
            if endpoint.authenticated and response.status_code < 300 and subject.strategy.name != "none":
                assert names_caller(username) in response.content, question.endpoint
            seen[response.status_code] += 1

    assert problems_of(subjects, ask) == {}
    for name, seen in statuses.items():  # the questions reached what they are about
        assert seen[200] >= 10, (name, seen)
        assert seen[201] >= 3, (name, seen)
        assert seen[400] >= 10, (name, seen)


@pytest.fixture(scope="module")
def odd() -> list[Odd]:
    return odd_credentials()


def test_nobody_gets_in_with_a_credential_that_nobody_was_given(
    subjects: list[Subject], questions: list[Asked], odd: list[Odd]
) -> None:
    def ask(subject: Subject) -> None:
        held, username = subject.login()
        spoilt = cycle(odd)
        for question in questions:
            if question.endpoint == "login":
                continue
            endpoint = ENDPOINTS[question.endpoint]
            for _ in range(len(odd) if question.endpoint == "reports-sales" else 1):
                headers = subject.headers(next(spoilt).of(held), question.endpoint)
                response = subject.ask(question, headers)
                if endpoint.authenticated and subject.strategy.name != "none" and response.status_code < 300:
                    # What was changed may have meant nothing, such as a blank at the end; it is never somebody else.
                    assert names_caller(username) in response.content, (question.endpoint, headers)

    assert problems_of([each for each in subjects if each.strategy.carrier != "none"], ask) == {}

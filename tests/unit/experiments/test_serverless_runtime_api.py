"""The runtime API's published protocol, spoken to it over a real connection."""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from authbench.errors import StackError
from authbench.experiments.serverless.runtime_api import PREFIX, Exchange, RuntimeApi
from authbench.stack.ports import Ports

EVENT = b'{"version":"2.0"}'


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    ports = Ports()
    made = RuntimeApi("session-db-f1", ports.take())
    try:
        yield made
    finally:
        made.close()
        ports.close()


@pytest.fixture
def client(api: RuntimeApi) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(api.address, timeout=5)
    yield connection
    connection.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def alive() -> None:
    """The instance goes on."""


def ended() -> None:
    raise StackError("session-db-f1: ended")


def ask(
    client: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
) -> http.client.HTTPResponse:
    client.request(method, f"{PREFIX}{path}", body)
    return client.getresponse()


def test_an_event_goes_out_with_its_headers_and_the_answer_comes_back(
    api: RuntimeApi, client: http.client.HTTPConnection, pool: ThreadPoolExecutor
) -> None:
    invoked: Future[Exchange] = pool.submit(api.invoke, EVENT, alive)
    event = ask(client, "GET", "/invocation/next")
    request = event.headers["Lambda-Runtime-Aws-Request-Id"]
    assert (event.status, event.read()) == (200, EVENT)
    assert int(event.headers["Lambda-Runtime-Deadline-Ms"]) > 0
    assert event.headers["Lambda-Runtime-Invoked-Function-Arn"].endswith(":session-db-f1")
    assert event.headers["Lambda-Runtime-Trace-Id"].startswith("Root=1-")
    accepted = ask(client, "POST", f"/invocation/{request}/response", b"{}")
    assert (accepted.status, json.loads(accepted.read())) == (202, {"status": "OK"})
    exchange = invoked.result(5)
    assert exchange.payload == b"{}"
    assert exchange.handed_ns < exchange.answered_ns
    assert api.most_at_once == 1


def test_it_is_known_when_the_instance_asks_for_an_event(
    api: RuntimeApi, client: http.client.HTTPConnection, pool: ThreadPoolExecutor
) -> None:
    client.request("GET", f"{PREFIX}/invocation/next")
    api.await_poll(alive)
    invoked: Future[Exchange] = pool.submit(api.invoke, EVENT, alive)
    event = client.getresponse()
    event.read()
    with pytest.raises(StackError, match="asked for no event within"):
        api.await_poll(alive, within_s=0.0)
    ask(client, "POST", f"/invocation/{event.headers['Lambda-Runtime-Aws-Request-Id']}/response", b"{}").read()
    invoked.result(5)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/invocation/last", 404),
        ("POST", "/invocation/next", 404),
        ("POST", "/invocation/nobody-s/response", 400),
    ],
)
def test_what_the_protocol_does_not_have_is_refused(
    client: http.client.HTTPConnection, method: str, path: str, status: int
) -> None:
    answer = ask(client, method, path, b"{}")
    answer.read()
    assert answer.status == status


@pytest.mark.parametrize("path", ["/init/error", "/invocation/session-db-f1-1/error"])
def test_an_error_of_the_runtime_is_the_function_s(
    api: RuntimeApi, client: http.client.HTTPConnection, path: str
) -> None:
    told = {"errorType": "ImportError", "errorMessage": "no such module", "stackTrace": ["secret"]}
    answer = ask(client, "POST", path, json.dumps(told).encode())
    answer.read()
    assert answer.status == 202
    with pytest.raises(StackError, match="ImportError: no such module") as raised:
        api.await_poll(alive)
    assert "secret" not in str(raised.value)


def test_an_instance_that_has_ended_is_not_waited_for(api: RuntimeApi) -> None:
    with pytest.raises(StackError, match="ended"):
        api.await_poll(ended)
    with pytest.raises(StackError, match="ended"):
        api.invoke(EVENT, ended)

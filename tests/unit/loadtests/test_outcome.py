"""One verdict an answer."""

import errno

import pytest

from loadtests.outcome import FAILED, OK, REFUSED, WRONG_BODY, WRONG_USER, judge, kind, loss
from loadtests.prepared import prepare

ANN = '{"id":1,"username":"ann"}'
BOB = b'{"id":2,"username":"bob"}'
BASE = {"method": "GET", "path": "/api/whoami"}
WHOAMI = prepare(0, {**BASE, "status": 200, "exact": ANN, "contains": '"username":"ann"'}, "h")
CREATE = prepare(0, {**BASE, "status": 201, "contains": '"username":"ann"'}, "h")
PUBLIC = prepare(0, {**BASE, "status": 200}, "h")
FORBIDDEN = prepare(0, {**BASE, "status": 403}, "h")


@pytest.mark.parametrize(
    ("request_", "status", "body", "outcome", "why"),
    [
        (WHOAMI, 200, ANN.encode(), OK, None),
        (WHOAMI, 200, BOB, FAILED, WRONG_USER),
        (WHOAMI, 200, ANN.encode() + b" ", FAILED, WRONG_BODY),
        (WHOAMI, 200, b"", FAILED, WRONG_BODY),
        (WHOAMI, 401, b"", REFUSED, "status 401"),
        (WHOAMI, 403, ANN.encode(), REFUSED, "status 403"),
        (WHOAMI, 302, b"", FAILED, "status 302"),
        (WHOAMI, 500, b"", FAILED, "status 500"),
        (CREATE, 201, b'{"order":1,"username":"ann"}', OK, None),
        (CREATE, 200, b'{"order":1,"username":"ann"}', FAILED, "status 200"),
        (CREATE, 201, b'{"order":1,"username":"anna"}', FAILED, WRONG_USER),
        (PUBLIC, 200, b"whatever", OK, None),
        (FORBIDDEN, 403, b"", OK, None),
        (FORBIDDEN, 401, b"", REFUSED, "status 401"),
        (FORBIDDEN, 200, b"", FAILED, "status 200"),
    ],
)
def test_verdict(request_, status, body, outcome, why):
    assert judge(request_, status, body) == outcome
    if why:
        assert kind(request_, status, body) == why


def test_wrong_user_is_the_word_of_the_validity_rules():
    from authbench.analysis import fidelity

    assert fidelity.WRONG_USER == WRONG_USER


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (ConnectionResetError(errno.ECONNRESET, ""), "reset"),
        (BrokenPipeError(errno.EPIPE, ""), "reset"),
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), "connection refused"),
        (OSError(errno.ENETUNREACH, ""), "ENETUNREACH"),
        (OSError("odd"), "OSError"),
    ],
)
def test_losses_have_a_word(error, word):
    assert loss(error) == word

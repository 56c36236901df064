"""What a credential says without a key: encodings are undone, nothing is deciphered."""

import base64
import json
import zlib

import jwt
import pytest

from authbench.conformance.visitor import Answer
from authbench.experiments.reading.decoding import facts_readable
from authbench.experiments.reading.measurement import script_may_read

CALLER = {"id": 7, "username": "user00007", "permissions": ["view_reports"]}
KEY = "k" * 32


def encoded(value: object, *, deflated: bool = False) -> str:
    data = json.dumps(value).encode()
    return base64.urlsafe_b64encode(zlib.compress(data) if deflated else data).decode().rstrip("=")


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (jwt.encode({"sub": "7", "username": "user00007", "permissions": ["view_reports"]}, KEY), 3),
        (jwt.encode({"sub": "7"}, KEY), 1),
        (f"{encoded({'_auth_user_id': '7'})}:1tXyz0:signature-of-it", 1),
        (f".{encoded({'granted': CALLER}, deflated=True)}:1tXyz0:signature-of-it", 3),
        ("0c3kqz9l0x2f8b1r7m4n6v5t", 0),  # a session's key
        (encoded({"sub": True, "other": 7.0, "user": "user00008"}), 0),
        ("", 0),
    ],
)
def test_facts_that_stand_in_it_are_counted(text: str, facts: int) -> None:
    assert facts_readable([text], CALLER) == facts


@pytest.mark.parametrize(
    ("header", "body", "may"),
    [
        ("__Host-sessionid=secret; HttpOnly; Secure; Path=/", b"{}", False),
        ("__Host-sessionid=secret; Secure; Path=/", b"{}", True),
        ("__Host-csrftoken=other; Secure; Path=/", b"{}", False),
        ("__Host-sessionid=secret; HttpOnly", b'{"access_token":"secret"}', True),
    ],
)
def test_a_script_reads_bodies_and_cookies_without_httponly(header: str, body: bytes, may: bool) -> None:
    assert script_may_read(Answer(200, (("Set-Cookie", header),), body), ["secret"]) is may

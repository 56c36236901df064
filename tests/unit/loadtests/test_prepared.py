"""Requests become bytes once, and what cannot be sent is said in one line."""

import json

import pytest

from loadtests.plan import PlanError
from loadtests.prepared import prepare, read_requests

ROW = {"method": "GET", "path": "/api/orders?page=1", "headers": [["Authorization", "Bearer x"]], "status": 200}


def test_a_get_as_it_goes_over_the_wire():
    request = prepare(3, ROW, "127.0.0.1:8000")
    assert request.wire == (
        b"GET /api/orders?page=1 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nAuthorization: Bearer x\r\n\r\n"
    )
    assert (request.number, request.name) == (3, "/api/orders")


def test_a_body_has_its_length_in_bytes():
    wire = prepare(0, {**ROW, "method": "POST", "body": '{"q":"é"}'}, "h").wire
    assert b"\r\nContent-Length: 10\r\n" in wire
    assert wire.endswith(b'\r\n\r\n{"q":"\xc3\xa9"}')


def test_a_post_without_a_body_says_so():
    assert b"\r\nContent-Length: 0\r\n" in prepare(0, {**ROW, "method": "POST"}, "h").wire


def test_given_headers_are_not_doubled():
    wire = prepare(0, {**ROW, "headers": [["HOST", "shop.example"], ["content-length", "0"]]}, "h").wire
    assert wire.lower().count(b"host:") == wire.lower().count(b"content-length:") == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"headers": [["A", "b\r\nC: d"]]}, "line break"),
        ({"path": "/\r\nX: y"}, "line break"),
        ({"status": "many"}, "ValueError"),
        ({"headers": [["A"]]}, "ValueError"),
    ],
)
def test_unusable_rows_are_refused(change, word):
    with pytest.raises(PlanError, match=word):
        prepare(0, {**ROW, **change}, "h")


def test_files(tmp_path):
    path = tmp_path / "requests.jsonl"
    path.write_text(json.dumps(ROW) + "\n\n" + json.dumps({**ROW, "path": "/b"}) + "\n")
    assert [(request.number, request.name) for request in read_requests(path, "h")] == [(0, "/api/orders"), (1, "/b")]
    path.write_text(json.dumps({**ROW, "path": "/changed"}) + "\n")
    assert [request.name for request in read_requests(path, "h")] == ["/changed"]


@pytest.mark.parametrize(
    ("text", "word"), [("", "no request"), ("{", "not JSON"), ("[]", "not an object"), ("{}", "1")]
)
def test_broken_files_are_named(tmp_path, text, word):
    path = tmp_path / "requests.jsonl"
    path.write_text(text)
    with pytest.raises(PlanError, match=word):
        read_requests(path, "h")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PlanError, match="nowhere"):
        read_requests(tmp_path / "nowhere.jsonl", "h")

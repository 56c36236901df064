"""Requests become bytes once, and what cannot be sent is said in one line."""

import json

import pytest

from loadtests.plan import PlanError
from loadtests.prepared import Chains, prepare, read_requests

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
    chains = Chains()
    found = [(request.number, request.name) for request in read_requests(path, "h", chains)]
    assert found == [(0, "/api/orders"), (1, "/b")]
    assert read_requests(path, "h", chains) is read_requests(path, "h", chains)
    path.write_text(json.dumps({**ROW, "path": "/changed"}) + "\n")
    assert [request.name for request in read_requests(path, "h", chains)] == ["/changed"]


@pytest.mark.parametrize(
    ("text", "word"), [("", "no request"), ("{", "not JSON"), ("[]", "not an object"), ("{}", "1")]
)
def test_broken_files_are_named(tmp_path, text, word):
    path = tmp_path / "requests.jsonl"
    path.write_text(text)
    with pytest.raises(PlanError, match=word):
        read_requests(path, "h", Chains())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PlanError, match="nowhere"):
        read_requests(tmp_path / "nowhere.jsonl", "h", Chains())


ROLLING = {**ROW, "method": "POST", "headers": [["Authorization", "Bearer t0"]], "body": "{}", "rolls": "t0"}


def test_a_one_time_token_is_the_one_that_the_last_answer_gave():
    request, usual = prepare(0, ROLLING, "h"), prepare(0, ROW, "h")
    assert (request.rolls, usual.rolls) == (True, False)
    first = request.wire
    assert first == prepare(0, {**ROLLING, "rolls": None}, "h").wire
    request.ended(b"longer-than-before")
    assert request.wire == first.replace(b"Bearer t0", b"Bearer longer-than-before")
    request.ended(b"")
    assert b"Bearer longer-than-before\r\n" in request.wire


def test_rows_of_one_user_share_his_chain_in_every_file_for_the_life_of_the_process(tmp_path):
    """Also where a file has long been pushed out of the cache of parsed ones, and is read anew."""
    other = {**ROLLING, "headers": [["Authorization", "Bearer u0"]], "rolls": "u0"}
    for name, rows in (("one", [ROLLING, other, ROLLING]), ("two", [ROLLING])):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    chains = Chains()
    one, two = (read_requests(tmp_path / name, "h", chains) for name in ("one", "two"))
    one[0].ended(b"t1")
    assert [b" t1\r\n" in request.wire for request in (*one, *two)] == [True, False, True, True]
    (tmp_path / "one").touch()
    assert b" t1\r\n" in read_requests(tmp_path / "one", "h", chains)[0].wire
    assert b" t0\r\n" in read_requests(tmp_path / "one", "h", Chains())[0].wire


@pytest.mark.parametrize("headers", [[["Authorization", "Bearer other"]], [["A", "t0"], ["B", "t0"]]])
def test_a_token_that_does_not_stand_in_its_row_once_is_refused_and_not_told(headers):
    with pytest.raises(PlanError, match="rolls") as refused:
        prepare(0, {**ROLLING, "headers": headers}, "h")
    assert "t0" not in str(refused.value)


def test_no_token_is_shown():
    request = prepare(0, {**ROLLING, "headers": [["Authorization", "Bearer s3cret"]], "rolls": "s3cret"}, "h")
    assert "s3cret" not in repr(request)

"""The HTTP reader, fed in every way that a socket may give an answer."""

import pytest

from loadtests.reader import MalformedError, Reader

PLAIN = b'HTTP/1.1 200 OK\r\nX-Replica: r2\r\nContent-Length: 8\r\n\r\n{"id":1}'
CHUNKED = (
    b"HTTP/1.1 201 Created\r\nx-replica:  r3 \r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n0005;note=1\r\ndefgh\r\n0\r\nTrailer: x\r\n\r\n"
)
CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
NO_LENGTH = b"HTTP/1.1 200 OK\r\nX-Replica: r1\r\n\r\nuntil the end"


@pytest.fixture
def reader() -> Reader:
    return Reader()


def test_whole_answer(reader):
    assert reader.feed(PLAIN)
    assert (reader.status, reader.body, reader.replica()) == (200, b'{"id":1}', b"r2")
    assert reader.keep_alive
    assert not reader.leftover


@pytest.mark.parametrize("answer", [PLAIN, CHUNKED, CLOSE])
def test_every_split_in_two(answer):
    whole = Reader()
    whole.feed(answer)
    for at in range(1, len(answer)):
        reader = Reader()
        assert not reader.feed(answer[:at])
        assert reader.feed(answer[at:])
        assert (reader.status, reader.body, reader.replica()) == (whole.status, whole.body, whole.replica())


def test_byte_by_byte(reader):
    finished = [reader.feed(CHUNKED[at : at + 1]) for at in range(len(CHUNKED))]
    assert finished == [False] * (len(CHUNKED) - 1) + [True]
    assert (reader.status, reader.body, reader.replica()) == (201, b"abcdefgh", b"r3")


def test_reused_for_the_next_answer(reader):
    for answer, body in ((PLAIN, b'{"id":1}'), (CHUNKED, b"abcdefgh"), (PLAIN, b'{"id":1}')):
        reader.clear()
        assert reader.feed(answer)
        assert reader.body == body
        assert reader.keep_alive


@pytest.mark.parametrize("more", [PLAIN, PLAIN[:20], CHUNKED + PLAIN])
def test_bytes_beyond_the_answer_are_told(reader, more):
    assert reader.feed(PLAIN + more)
    assert reader.body == b'{"id":1}'
    assert reader.leftover


def test_close_is_told(reader):
    assert reader.feed(CLOSE)
    assert not reader.keep_alive


def test_old_http_closes(reader):
    assert reader.feed(PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert not reader.keep_alive


def test_body_without_length_ends_with_the_connection(reader):
    assert not reader.feed(NO_LENGTH[:40])
    assert not reader.feed(NO_LENGTH[40:])
    assert reader.end()
    assert (reader.status, reader.body, reader.replica()) == (200, b"until the end", b"r1")
    assert not reader.keep_alive


@pytest.mark.parametrize("part", [b"", PLAIN[:10], PLAIN[:-1], CHUNKED[:-3]])
def test_closed_too_early_is_no_answer(reader, part):
    if part:
        reader.feed(part)
    assert not reader.end()


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n"])
def test_statuses_without_a_body(reader, head):
    assert reader.feed(head)
    assert reader.body == b""
    assert reader.keep_alive


def test_interim_answers_are_skipped(reader):
    assert not reader.feed(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert reader.feed(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + PLAIN)
    assert (reader.status, reader.body) == (200, b'{"id":1}')
    assert not reader.leftover


@pytest.mark.parametrize(
    "nonsense",
    [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"],
)
def test_nonsense_is_malformed(reader, nonsense):
    with pytest.raises(MalformedError):
        reader.feed(nonsense)


def test_a_body_cannot_name_the_replica(reader):
    body = b"\r\nX-Replica: forged"
    reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert reader.replica() == b""


NEXT = b'HTTP/1.1 200 OK\r\nAuthentication-Info: a="b", next-token="e.y-J_"\r\nContent-Length: 2\r\n\r\n{}'


@pytest.mark.parametrize(
    ("answer", "token"),
    [
        (NEXT, b"e.y-J_"),
        (NEXT.replace(b"Authentication-Info", b"authentication-info"), b"e.y-J_"),
        (NEXT.replace(b"200 OK", b"403 Forbidden"), b"e.y-J_"),
        (NEXT.replace(b"Authentication-Info", b"X-Other"), b""),
        (PLAIN, b""),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n\r\nAuthentication-Info: next-token="forged" \r\n', b""),
    ],
)
def test_the_next_token_is_read_from_its_header_alone(answer, token):
    for at in range(1, len(answer)):
        reader = Reader()
        reader.feed(answer[:at])
        assert reader.feed(answer[at:])
        assert reader.next_token() == token

"""Reads HTTP/1.1 answers from the pieces that a socket gives: llhttp's parser with as few callbacks as possible."""

import httptools

REPLICA = b"\r\nX-Replica:"
_REPLICA_LOWER = REPLICA.lower()
AUTHENTICATION_INFO = b"authentication-info:"  # RFC 9110, 11.6.3
NEXT_TOKEN = b'next-token="'
_HEAD_END = b"\r\n\r\n"


class MalformedError(ValueError):
    """What came is not an HTTP/1.1 answer."""


class Reader:
    """One answer at a time on one connection; `clear` before the next."""

    __slots__ = ("_feed", "_parser", "_raw", "body", "complete", "keep_alive", "leftover", "status")

    def __init__(self) -> None:
        self.body = b""
        self.status = 0
        self.complete = False
        self.keep_alive = True  # whether the connection may carry another request
        self.leftover = False  # bytes came after the answer that nobody had asked for
        self._raw = b""
        self._parser = httptools.HttpResponseParser(self)
        self._feed = self._parser.feed_data

    def clear(self) -> None:
        """Forgets the answer that was read."""
        self.body = b""
        self.complete = False
        self._raw = b""

    def feed(self, data: bytes) -> bool:
        """Takes what the socket gave; whether the answer is complete now. Raises MalformedError."""
        raw = self._raw
        if not raw:
            self._raw = data
        elif _HEAD_END not in raw:
            self._raw = raw + data
        try:
            self._feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:
                raise MalformedError(str(error)) from error
            self.leftover = True
        return self.complete

    def end(self) -> bool:
        """The server closed the connection; whether that completes the answer (one without a length, RFC 9112 6.3)."""
        head, found, _ = self._raw.partition(_HEAD_END)
        lower = head.lower()
        if found and not self.complete and b"\r\ncontent-length:" not in lower and b"\r\ntransfer-enc" not in lower:
            self.status = self._parser.get_status_code()
            self.complete = True
            self.keep_alive = False
        return self.complete

    def replica(self) -> bytes:
        """The X-Replica header's value; empty where there is none."""
        raw = self._raw
        at = raw.find(REPLICA)
        if at < 0:
            at = raw.lower().find(_REPLICA_LOWER)
        if at < 0 or raw.rfind(_HEAD_END) < at:
            return b""
        return raw[at + len(REPLICA) : raw.find(b"\r", at + 2)].strip()

    def next_token(self) -> bytes:
        """The token to send next, from the Authentication-Info header; empty where there is none."""
        raw = self._raw
        at = raw.find(NEXT_TOKEN)
        line = raw[raw.rfind(b"\n", 0, at) + 1 : at].lower()
        if at < 0 or raw.rfind(_HEAD_END) < at or not line.startswith(AUTHENTICATION_INFO):
            return b""
        start = at + len(NEXT_TOKEN)
        return raw[start : raw.find(b'"', start)]

    # llhttp's callbacks; an interim answer (1xx) is a message of its own and skipped.

    def on_message_begin(self) -> None:
        if self.complete:
            self.leftover = True

    def on_body(self, piece: bytes) -> None:
        if not self.complete:
            self.body += piece

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if self.complete or (status < 200 and status != 101):
            return
        self.status = status
        self.keep_alive = self._parser.should_keep_alive()
        self.complete = True

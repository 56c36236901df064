"""Load goes to loopback only, however an address is spelt; elsewhere only with the user's word and the target's."""

import socket
from typing import Any

import pytest

from authbench import target
from authbench.errors import UsageError
from authbench.target import checked_target

FOREIGN = "192.0.2.7"


@pytest.fixture
def asked_for_consent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, str]]:
    """What targets were asked; each consents."""
    asked: list[tuple[str, int, str]] = []

    def consents(address: str, port: int, authority: str) -> None:
        asked.append((address, port, authority))

    monkeypatch.setattr(target, "gives_consent", consents)
    return asked


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8000/api/whoami", "http://127.0.0.1:8000"),
        ("http://127.1.2.3:81", "http://127.1.2.3:81"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://127.0.0.1", "http://127.0.0.1:80"),
    ],
)
def test_loopback_is_a_target_that_nobody_asks(url: str, origin: str, asked_for_consent: list[Any]) -> None:
    found = checked_target(url)
    assert found.origin == origin
    assert found.is_loopback
    assert asked_for_consent == []


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.7:80",
        "http://0.0.0.0/",
        "http://no-such-host.invalid/",
        "http://[fe80::1]/",
    ],
)
def test_elsewhere_is_no_target_unless_it_is_named(url: str, asked_for_consent: list[Any]) -> None:
    with pytest.raises(UsageError):
        checked_target(url)
    with pytest.raises(UsageError):
        checked_target(url, frozenset({"192.0.2.8", "0.0.0", "no-such-host"}))
    assert asked_for_consent == []


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1@192.0.2.7/", FOREIGN),
        ("http://user:secret@127.0.0.1/", "127.0.0.1"),
        ("http://2130706433/", "2130706433"),
        ("http://3221225991:80/", "3221225991"),
        ("http://0x7f.1/", "0x7f.1"),
        ("http://0xc0000207/", "0xc0000207"),
        ("http://0300.0.2.7/", "0300.0.2.7"),
        ("http://192.0.519/", "192.0.519"),
        ("http://[::ffff:192.0.2.7]/", "::ffff:192.0.2.7"),
        ("http://[::ffff:c000:207]/", "::ffff:c000:207"),
        ("http://[0:0:0:0:0:0:0:1]/", "0:0:0:0:0:0:0:1"),
        ("http://[::1%25lo]/", "::1%25lo"),
        ("http://[::1%lo]/", "::1%lo"),
        ("http://localhost./", "localhost."),
        ("http://127.0.0.1%2f@192.0.2.7/", FOREIGN),
        ("http://127.0.0.1%00.example/", "127.0.0.1%00.example"),
        ("http://１２７.0.0.1/", "127.0.0.1"),  # full-width digits
        ("http://127。0。0。1/", "127.0.0.1"),  # ideographic full stops
        ("http://ⓛocalhost/", "localhost"),
        ("http://bücher.example/", "bücher.example"),
        ("http://127.0.0.1\\@192.0.2.7/", FOREIGN),
        ("http://127.0.0.1 @192.0.2.7/", FOREIGN),
        ("http://127.0.0.1\t.example/", "127.0.0.1.example"),
        ("http://127.0.0.1\r\nHost: x/", "127.0.0.1"),
        ("http:\\\\127.0.0.1/", "127.0.0.1"),
        ("http://[127.0.0.1]/", "127.0.0.1"),
        ("http://[::1/", "::1"),
        ("https://127.0.0.1/", "127.0.0.1"),
        ("ftp://127.0.0.1/", "127.0.0.1"),
        ("//127.0.0.1/", "127.0.0.1"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("http://", ""),
        ("http://127.0.0.1:0/", "127.0.0.1"),
        ("http://127.0.0.1:/", "127.0.0.1"),
        ("http://127.0.0.1:99999/", "127.0.0.1"),
        ("http://127.0.0.1:+80/", "127.0.0.1"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_even_where_it_is_named(
    url: str, host: str, asked_for_consent: list[Any]
) -> None:
    for allowed in (frozenset[str](), frozenset({host, url, host.lower()})):
        with pytest.raises(UsageError):
            checked_target(url, allowed)
    assert asked_for_consent == []


def test_a_host_that_is_named_is_asked_for_its_consent(asked_for_consent: list[Any]) -> None:
    found = checked_target("http://192.0.2.7:8080/x", frozenset({FOREIGN}))
    assert (found.origin, found.authority) == ("http://192.0.2.7:8080", "192.0.2.7:8080")
    assert not found.is_loopback
    assert asked_for_consent == [(FOREIGN, 8080, "192.0.2.7:8080")]


def test_without_the_target_s_consent_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "gives_consent", lambda *_: "nothing there")
    with pytest.raises(UsageError, match="nothing there"):
        checked_target("http://192.0.2.7:8080/x", frozenset({FOREIGN}))


def test_a_name_is_looked_up_once_and_that_address_is_used(
    monkeypatch: pytest.MonkeyPatch, asked_for_consent: list[Any]
) -> None:
    answers = iter(["192.0.2.7", "10.0.0.1", "127.0.0.1"])
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))],
    )
    found = checked_target("http://rebound.example:81/", frozenset({"rebound.example"}))
    assert (found.origin, found.authority) == ("http://192.0.2.7:81", "rebound.example:81")
    assert asked_for_consent == [("192.0.2.7", 81, "rebound.example:81")]
    assert next(answers) == "10.0.0.1"  # nobody has asked again


def test_a_name_that_leads_to_loopback_is_not_localhost(
    monkeypatch: pytest.MonkeyPatch, asked_for_consent: list[Any]
) -> None:
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))],
    )
    with pytest.raises(UsageError, match="loopback only"):
        checked_target("http://inner.example/")


def test_localhost_that_leads_elsewhere_is_refused(
    monkeypatch: pytest.MonkeyPatch, asked_for_consent: list[Any]
) -> None:
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", port))],
    )
    with pytest.raises(UsageError, match="loopback only"):
        checked_target("http://localhost/")

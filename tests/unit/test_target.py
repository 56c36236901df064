"""Load goes to loopback only, however an address is spelt."""

import pytest

from authbench.errors import UsageError
from authbench.target import checked_target


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8000/api/whoami", "http://127.0.0.1:8000"),
        ("http://127.1.2.3:81", "http://127.1.2.3:81"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://127.0.0.1", "http://127.0.0.1:80"),
    ],
)
def test_loopback_is_a_target(url: str, origin: str) -> None:
    assert checked_target(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.7:80",
        "http://127.0.0.1@192.0.2.7/",
        "http://user:secret@127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::ffff:192.0.2.7]/",
        "http://0.0.0.0/",
        "https://127.0.0.1/",
        "ftp://127.0.0.1/",
        "127.0.0.1:80",
        "http://",
        "http://127.0.0.1:99999/",
        "http://no-such-host.invalid/",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        checked_target(url)


def test_a_host_allowed_by_name_is_a_target() -> None:
    assert checked_target("http://192.0.2.7:8080/x", frozenset({"192.0.2.7"})) == "http://192.0.2.7:8080"
    with pytest.raises(UsageError):
        checked_target("http://192.0.2.8:8080/x", frozenset({"192.0.2.7"}))

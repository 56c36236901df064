"""Entropy of identifiers, tokens by hand, planted sessions, and the listener."""

import secrets
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from authbench.attacks.compact import encoded, mac, parsed, part
from authbench.attacks.ground import is_keyed, plant
from authbench.attacks.identifiers import varying_bits
from authbench.attacks.listener import Listener


@pytest.mark.parametrize(
    ("draw", "least", "most"),
    [
        (lambda n: secrets.token_hex(16), 120, 128),
        (lambda n: secrets.token_urlsafe(32), 220, 260),
        (lambda n: f"{n:032}", 0, 8),
        (lambda n: "a" * 32, 0, 0),
        (lambda n: f"{'f' * 24}{secrets.token_hex(4)}", 25, 33),
    ],
)
def test_only_what_varies_counts(draw: object, least: float, most: float) -> None:
    texts = [draw(number) for number in range(40)]  # type: ignore[operator]
    assert least <= varying_bits(texts) <= most


def test_a_token_is_taken_apart_and_knows_its_key() -> None:
    key = secrets.token_bytes(48)
    text = mac(f"{part({'alg': 'HS256'})}.{part({'jti': 'x' * 22, 'sub': '1'})}", key)
    token = parsed(text)
    assert token is not None
    assert is_keyed(token, encoded(key))
    assert not is_keyed(token, encoded(key[1:]))
    changed = token.claiming(sub="2")
    assert (changed["sub"], len(changed["jti"])) == ("2", 22)
    assert changed["jti"] != token.claims["jti"]


@pytest.mark.parametrize(
    "text", ["", "a.b.c", "..", f"{encoded(b'[' * 1000)}.e30.x", f"{part({'alg': 1})}.{part([])}.x"]
)
def test_what_is_no_token_is_none(text: str) -> None:
    assert parsed(text) is None


def test_a_planted_session_lies_outside_and_goes(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir()
    with ExitStack() as exits:
        assert plant(folder, exits) == ()
    (folder / f"__Host-sessionid{'a' * 32}").write_text("a session")
    with ExitStack() as exits:
        ways = plant(folder, exits)
        planted = sorted(path.name for path in tmp_path.iterdir() if path != folder)
        assert len(planted) == 2
        assert planted[0].startswith("__Host-sessionidplanted")
        assert (folder / ways[0]).read_text() == "a session"
    assert list(tmp_path.iterdir()) == [folder]


def test_the_listener_counts_who_asks() -> None:
    with Listener(b"{}") as listener:
        assert listener.connections == 0
        assert urllib.request.urlopen(listener.url, timeout=5).read() == b"{}"
        assert listener.connections == 1

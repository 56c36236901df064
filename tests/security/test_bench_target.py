"""Where `authbench load` goes: nowhere but loopback, unless user and target both say so. Connections are counted."""

import ast
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from authbench import consent
from authbench.consent import CONSENT, LINE, MOST_BYTES, gives_consent
from authbench.errors import StackError, UsageError
from authbench.generator import Fire, Generator
from authbench.loading import Target, load_url
from authbench.stack.replicas import ROOT
from tests.security.listeners import Listener, foreign_address, listening, redirect, text

PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


@pytest.fixture
def foreign() -> Iterator[Listener]:
    with listening(foreign_address(), {"/": text("hello")}) as listener:
        yield listener


def load(url: str, *allowed: str) -> dict[str, object]:
    target = Target(url, allowed=frozenset(allowed))
    return load_url(target, rate=50, saturate=None, duration_s=0.3, arrivals="constant", seed=1)


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_another_machine_is_refused_before_anything_is_sent(foreign: Listener) -> None:
    with pytest.raises(UsageError, match="loopback only"):
        load(foreign.url)
    assert foreign.connections == 0


def test_the_user_s_word_alone_is_not_enough(foreign: Listener) -> None:
    with pytest.raises(UsageError, match="answers 404"):
        load(foreign.url, foreign.address)
    assert (foreign.connections, foreign.paths()) == (1, [CONSENT])


def test_the_target_s_word_alone_is_not_enough(foreign: Listener) -> None:
    foreign.answers[CONSENT] = text(f"{LINE} {foreign.address}:{foreign.port}\n")
    with pytest.raises(UsageError, match="--allow-target"):
        load(foreign.url, "another.example")
    assert foreign.connections == 0


def test_with_both_words_it_is_loaded_under_the_name_that_was_given(foreign: Listener) -> None:
    foreign.answers[CONSENT] = text(f"# ours\r\n  {LINE.title()} {foreign.address}:{foreign.port}  \r\n")
    found = load(foreign.url, foreign.address)
    assert (found["requests"], found["failures"]) == (15, 0)
    assert foreign.paths()[0] == CONSENT
    assert foreign.paths().count(CONSENT) == 1
    assert set(foreign.paths()[1:]) == {"/"}
    assert all(f"\nHost: {foreign.address}:{foreign.port}".encode() in request for request in foreign.requests)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (text(f"{LINE} elsewhere.example:80\n"), "no line"),
        (text(f"{LINE} ADDRESS:1\n"), "no line"),
        (text(f"{LINE} ADDRESS\n"), "no line"),
        (text(f"x {LINE} ADDRESS:PORT\n"), "no line"),
        (text(f"{LINE} ADDRESS:PORT.example.org\n"), "no line"),
        (text(f"{LINE} ADDRESS:PORT", "text/html"), "not text/plain"),
        (text(f"{LINE} ADDRESS:PORT".ljust(MOST_BYTES + 1)), "more than"),
        (text(f"{LINE} ADDRESS:PORT").replace(b"200 OK", b"203 Sort of"), "answers 203"),
        (b"nonsense\r\n\r\n", CONSENT),
    ],
)
def test_what_is_not_the_consent_is_none(foreign: Listener, told: bytes, why: str) -> None:
    filled = told.replace(b"ADDRESS", foreign.address.encode()).replace(b"PORT", str(foreign.port).encode())
    if b"Content-Length" in filled:  # of what it says now
        head, _, body = filled.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
        filled = b"\r\n".join([*lines, f"Content-Length: {len(body)}".encode()]) + b"\r\n\r\n" + body
    foreign.answers[CONSENT] = filled
    with pytest.raises(UsageError, match=why):
        load(foreign.url, foreign.address)
    assert set(foreign.paths()) <= {CONSENT}


def test_a_redirect_is_no_consent_and_is_not_followed(foreign: Listener) -> None:
    with listening(answers={"/": text(f"{LINE} {foreign.address}:{foreign.port}")}) as other:
        foreign.answers[CONSENT] = redirect(f"{other.url}/")
        with pytest.raises(UsageError, match="answers 302"):
            load(foreign.url, foreign.address)
        assert (foreign.connections, other.connections) == (1, 0)


def test_a_target_that_drips_is_waited_for_no_longer_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "ANSWERS_WITHIN_S", 0.3)
    with listening() as slow:
        slow.answers[CONSENT] = b"HTTP/1.1 200 OK\r\nX-Drip: "  # and never an end
        began = time.monotonic()
        why = gives_consent(slow.address, slow.port, "slow.example:80")
    assert why is not None
    assert time.monotonic() - began < consent.CONNECTS_WITHIN_S  # what each read alone would have been given


def test_what_an_answer_says_leads_no_load_elsewhere(foreign: Listener) -> None:
    with listening(answers={"/": redirect(f"{foreign.url}/")}) as ours:
        found = load(ours.url)
        assert found["failures"] == found["requests"] == 15
        assert len(ours.requests) > 15  # the warm-up too
    assert foreign.connections == 0


def test_the_generator_itself_goes_nowhere_but_to_loopback(foreign: Listener, tmp_path: Path) -> None:
    """Whoever asks it: a plan that does not say that the target has consented ends before a connection."""
    requests = tmp_path / "requests.jsonl"
    requests.write_text(json.dumps({"method": "GET", "path": "/"}))
    plan = Fire(url=foreign.url, requests=str(requests), model="saturate", connections=1, count=1)
    with Generator(tmp_path / "log") as generator, pytest.raises(StackError, match="is not loopback"):
        generator.fire(plan)
    assert foreign.connections == 0


def test_plain_locust_with_our_file_goes_nowhere_but_to_loopback(foreign: Listener) -> None:
    done = command(
        *("locust", "-f", "loadtests/locustfile.py", "--host", foreign.url, "--headless", "-u", "1", "-t", "1s")
    )
    assert done.returncode != 0
    assert "is not loopback" in done.stderr
    assert foreign.connections == 0


def test_proxy_variables_lead_nowhere(foreign: Listener) -> None:
    with listening("127.0.0.2") as proxy, listening(answers={"/": text("hello")}) as ours:
        told = dict.fromkeys(PROXIES, proxy.url) | {"no_proxy": "", "NO_PROXY": ""}
        done = command("authbench.cli", "load", ours.url, "--rate", "50", "--duration", "0.3", "--json", **told)
        assert json.loads(done.stdout)["requests"] == 15, done.stderr
        assert len(ours.requests) > 15
        refused = command("authbench.cli", "load", foreign.url, "--rate", "50", **told)
        assert refused.returncode == 2
        assert refused.stderr.count("\n") == 1
        assert proxy.connections == foreign.connections == 0


def test_no_client_of_ours_reads_proxy_variables_or_follows_redirects() -> None:
    """httpx and requests do the first unless told otherwise, requests and urllib the second; http.client neither."""
    found = []
    for folder in ("apps", "authbench", "loadtests", "reports"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)):
                found += [f"{path.relative_to(ROOT)}:{node.lineno} {what}" for what in _careless(node, text)]
    assert found == []


def _careless(node: ast.AST, text: str) -> list[str]:
    if isinstance(node, ast.ImportFrom | ast.Import):
        named = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        return [name for name in named if name in ("urllib.request", "aiohttp", "urllib3", "pycurl")]
    if not (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    ):
        return []
    called = f"{node.func.value.id}.{node.func.attr}"
    told = {each.arg: ast.unparse(each.value) for each in node.keywords}
    if called in ("httpx.Client", "httpx.AsyncClient"):
        return [] if told.get("trust_env") == "False" and told.get("follow_redirects", "False") == "False" else [called]
    if called == "requests.Session":
        return [] if "trust_env = False" in text and "allow_redirects=False" in text else [called]
    of_the_module = {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"}
    return [called] if node.func.value.id in ("httpx", "requests") and node.func.attr in of_the_module else []

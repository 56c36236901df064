"""No secret shows where others may look: results, logs, what is printed, and every process's arguments.

One small run, with canaries in its environment, with proxy variables that lead to a counting listener, and watched
while it runs: the keys that replicas are told are read from their environments, the tokens from the request files.
"""

import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.small_run import SmallRun, write_scenario
from tests.security.listeners import listening
from tests.security.test_bench_target import PROXIES

pytestmark = pytest.mark.slow
CANARIES = {
    "AWS_SECRET_ACCESS_KEY": "canary-wJalrXUtnFEMI-of-aws",
    "PGPASSWORD": "canary-of-postgresql-7261",
    "GITHUB_TOKEN": "ghp_canaryOfGithub5518",
    "DATABASE_URL": "postgresql://u:canary-in-a-url-9927@127.0.0.1/x",
    "VAULT_TOKEN": "hvs.canaryOfVault3301",
}
TOLD = ("SECRET_KEY", "JWT_KEY", "RSA_KEY", "EC_KEY", "ED_KEY", "SERVICE_SECRET", "EDGE_SECRET", "USER_PASSWORD")
STRATEGIES = ("none", "jwt-hs256", "session-cache", "edge-jwt")
LOOKS_EVERY_S = 0.05
SHORTEST = 8  # of a text whose finding means something


@dataclass
class Watch:
    """What was seen of a run while it ran."""

    temporary: Path
    secrets: dict[str, str] = field(default_factory=dict)  # value -> where it was read
    arguments: set[bytes] = field(default_factory=set)  # command lines of all its processes
    logs: dict[str, bytes] = field(default_factory=dict)  # the stack's logs as they were last
    over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Until it is over."""
        while not self.over.wait(LOOKS_EVERY_S):
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    self._look_at(process)
            for folder in self.temporary.glob("authbench-*"):
                self._read(folder)

    def _look_at(self, process: Path) -> None:
        try:
            told, command = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()
        except OSError:
            return
        if str(self.temporary).encode() not in told + command:
            return
        self.arguments.add(command)
        for pair in told.decode(errors="replace").split("\0"):
            name, _, value = pair.partition("=")
            if name.startswith("AUTHBENCH_") and name.endswith(TOLD):
                # A private key is many lines: each of them is as telling.
                self.secrets |= {line: name for line in value.splitlines() if "PRIVATE KEY" not in line}

            if name.startswith("AUTHBENCH_") and name.endswith("_URL") and (password := urlsplit(value).password):
                self.secrets[password] = f"the password of {name}"

    def _read(self, folder: Path) -> None:
        # `os.walk` passes over folders that go while it looks; `rglob` does not.
        for path in (Path(where, name) for where, _, names in os.walk(folder) for name in names):
            try:
                if path.suffix == ".log":
                    self.logs[path.name] = path.read_bytes()
                elif path.name.startswith("minted-"):
                    for line in path.read_text(encoding="utf-8").splitlines():
                        self.secrets |= dict.fromkeys(_texts(json.loads(line)["credential"]), path.name)
            except (OSError, ValueError):  # gone, or half written
                continue


@dataclass
class Seen:
    """The run after it has ended."""

    watch: Watch
    folder: Path
    said: str
    code: int
    proxied: int  # connections that came to the proxy


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("secrets")
    scenario = write_scenario(folder, launches=2, attempts=1, window_s=0.2)
    given = scenario.read_text(encoding="utf-8")
    named = given.replace('strategy = ["none", "jwt-hs256"]', f"strategy = {json.dumps(STRATEGIES)}")
    assert named != given
    scenario.write_text(named, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched, listening("127.0.0.2") as proxy, _temporary() as temporary:
        for name, value in (CANARIES | dict.fromkeys(PROXIES, proxy.url)).items():
            patched.setenv(name, value)
        patched.setenv("NO_PROXY", "")
        patched.setenv("no_proxy", "")
        out = folder / "results"
        watch = Watch(temporary)
        watcher = threading.Thread(target=watch.look)
        run = SmallRun(temporary, str(scenario), "--profile", "quick", "--out", str(out))
        try:
            watcher.start()
            code = run.wait()
            said = run.said()
        finally:
            watch.over.set()
            watcher.join()
            run.close()
        yield Seen(watch, out, said, code, proxy.connections)


def test_the_run_was_one_and_its_secrets_were_found(seen: Seen) -> None:
    assert seen.code in (0, 3), seen.said  # a busy machine may make its figures invalid
    found = set(seen.watch.secrets.values())
    assert {f"AUTHBENCH_{name}" for name in TOLD} <= found
    assert {"the password of AUTHBENCH_DATABASE_URL", "the password of AUTHBENCH_CACHE_URL"} <= found
    assert {f"minted-{name}.jsonl" for name in STRATEGIES if name != "none"} <= found
    assert (seen.folder / "report.html").stat().st_size > 10_000
    assert any(b"gunicorn" in command for command in seen.watch.arguments)
    assert any(name.startswith("jwt-hs256") for name in seen.watch.logs)


@pytest.mark.parametrize("where", ["results", "logs", "arguments", "said"])
def test_no_secret_shows(seen: Seen, where: str) -> None:
    texts: dict[str, bytes] = {
        "results": {str(path): path.read_bytes() for path in seen.folder.rglob("*") if path.is_file()},
        "logs": seen.watch.logs,
        "arguments": {str(number): command for number, command in enumerate(seen.watch.arguments)},
        "said": {"": seen.said.encode()},
    }[where]
    assert texts
    secrets = {value: name for name, value in CANARIES.items()} | seen.watch.secrets
    assert _shown(texts, secrets) == set()
    secret, kind = next(iter(seen.watch.secrets.items()))
    assert _shown({"planted": b"x" + secret.encode()}, secrets) >= {("planted", kind)}  # the search finds what is there


def test_the_canaries_are_of_a_kind_that_would_be_found(seen: Seen) -> None:
    """The search itself: every secret is long enough, and none is a word that stands in every file."""
    assert min(len(value) for value in CANARIES.values()) >= SHORTEST
    keys = [value for value, kind in seen.watch.secrets.items() if kind.endswith(("KEY", "SECRET", "PASSWORD"))]
    assert min(map(len, keys)) >= SHORTEST
    assert len(seen.watch.secrets) > 50


def test_no_client_of_the_bench_asks_a_proxy(seen: Seen) -> None:
    assert seen.proxied == 0


def test_nothing_is_left_of_the_run(seen: Seen) -> None:
    assert [path.name for path in seen.watch.temporary.glob("authbench-*") if path.is_dir()] == []


def _texts(credential: object) -> list[str]:
    if isinstance(credential, dict):
        return [text for value in credential.values() for text in _texts(value)]
    return [str(credential)] if len(str(credential)) > 2 * SHORTEST else []


def _shown(texts: Mapping[str, bytes], secrets: Mapping[str, str]) -> set[tuple[str, str]]:
    """In which text which kind of secret stands; never the secret."""
    return {
        (name, kind)
        for name, content in texts.items()
        for secret, kind in secrets.items()
        if len(secret) >= SHORTEST and secret.encode() in content
    }


@contextmanager
def _temporary() -> Iterator[Path]:
    """A TMPDIR that the database's account may pass through."""
    with tempfile.TemporaryDirectory(prefix="small-", dir="/tmp") as name:
        temporary = Path(name, "tmp")
        temporary.mkdir()
        for each in (Path(name), temporary):
            each.chmod(0o711)
        yield temporary

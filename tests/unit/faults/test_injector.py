"""The order of things, with parts that are no processes."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.deployment import Deployment
from authbench.errors import StackError
from authbench.faults.fault import Fault
from authbench.faults.injector import Injector

CACHE_KILLED = Fault(part="cache", action="kill", at_s=0)
DATABASE_PAUSED = Fault(part="database", action="pause", at_s=0)
CACHE_SLOW = Fault(part="cache", action="latency", at_s=0, latency_ms=1)


@dataclass
class Part:
    name: str
    did: Callable[[str], None]

    @property
    def service(self) -> str:
        return self.name

    def pause(self) -> None:
        self.did(f"pause {self.name}")

    def resume(self) -> None:
        self.did(f"resume {self.name}")


@dataclass
class Parts:
    """What the injector asks of a stack; writes down what was done to it."""

    strategies: dict[str, object] = field(default_factory=lambda: dict(strategies()))
    replicas: int = 2
    relay: None = None
    deployment: Deployment = field(default_factory=Deployment)
    done: list[str] = field(default_factory=list)
    fails: str = ""

    @property
    def tiers(self) -> dict[str, str]:
        return {"postgres": "db", "valkey": "cache"}

    def running(self, name: str) -> Part:
        return Part(name, self._did)

    def take_down(self, name: str, first: signal.Signals, within_s: float = 0) -> None:
        self._did(f"{first.name} {name}")

    def stop(self, name: str) -> None:
        pass

    def start(self, service: str) -> None:
        self._did(f"start {service}")

    def replica_names(self, strategy: str) -> list[str]:
        return [f"{strategy}-{number}" for number in range(1, self.replicas + 1)]

    def _did(self, what: str) -> None:
        self.done.append(what)
        if what == self.fails:
            raise StackError(what)


def injector(parts: Parts, strategy: str = "session-cached-db") -> Injector:
    return Injector(cast(EmbeddedStack, parts), strategy)


def test_what_still_holds_is_undone_on_leaving_the_last_first() -> None:
    parts = Parts()
    with injector(parts) as made:
        made.begin(CACHE_KILLED)
        made.begin(DATABASE_PAUSED)
        assert parts.done == ["SIGKILL valkey", "pause postgres"]
    assert parts.done[2:] == ["resume postgres", "start valkey"]


def test_an_interruption_undoes_it_too() -> None:
    parts = Parts()
    with pytest.raises(KeyboardInterrupt), injector(parts) as made:
        made.begin(CACHE_KILLED)
        raise KeyboardInterrupt
    assert parts.done == ["SIGKILL valkey", "start valkey"]


def test_what_has_ended_is_not_undone_again() -> None:
    parts = Parts()
    with injector(parts) as made:
        made.begin(CACHE_KILLED)
        made.end(CACHE_KILLED)
        made.end(CACHE_KILLED)
    assert parts.done == ["SIGKILL valkey", "start valkey"]


def test_one_that_cannot_be_undone_does_not_keep_the_others_from_it() -> None:
    parts = Parts(fails="resume postgres")
    with pytest.raises(StackError, match="resume postgres"), injector(parts) as made:
        made.begin(CACHE_KILLED)
        made.begin(DATABASE_PAUSED)
    assert parts.done[-1] == "start valkey"


def test_a_begin_that_fails_half_way_is_undone() -> None:
    parts = Parts(fails="SIGKILL valkey")
    with pytest.raises(StackError, match="SIGKILL valkey"), injector(parts) as made:
        made.begin(CACHE_KILLED)
    assert parts.done == ["SIGKILL valkey", "start valkey"]


def test_the_same_fault_twice_is_refused() -> None:
    with injector(Parts()) as made:
        made.begin(CACHE_KILLED)
        with pytest.raises(StackError, match="cache is killed: is injected already"):
            made.begin(CACHE_KILLED)


@pytest.mark.parametrize(
    ("strategy", "fault", "why"),
    [
        ("jwt-hs256", CACHE_KILLED, "jwt-hs256 has no cache on its way"),
        ("session-cached-db", Fault(part="auth", action="kill", at_s=0), "has no auth on its way"),
        ("session-db", Fault(part="replica", action="kill", number=3, at_s=0), "only 2 replicas run"),
        ("session-cached-db", CACHE_SLOW, "replicas reach their stores without the relay"),
    ],
)
def test_what_cannot_be_injected_here_is_said_and_refused(strategy: str, fault: Fault, why: str) -> None:
    parts = Parts()
    with injector(parts, strategy) as made:
        said = made.why_not(fault)
        assert said is not None
        assert said.startswith(f"{fault.name}: cannot be injected here: ")
        assert why in said
        with pytest.raises(StackError, match="cannot be injected here"):
            made.begin(fault)
    assert parts.done == []


def test_an_orderly_end_is_sigterm_but_for_postgresql() -> None:
    parts = Parts()
    with injector(parts) as made:
        made.begin(Fault(part="cache", action="restart", at_s=0))
        made.begin(Fault(part="database", action="restart", at_s=0))
    assert parts.done == ["SIGTERM valkey", "start valkey", "SIGINT postgres", "start postgres"]

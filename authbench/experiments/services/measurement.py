"""One request through chains and fan-outs of services, each of which checks the caller."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import psycopg

from authbench.errors import StackError
from authbench.experiments.ground import Ground
from authbench.experiments.services import measures
from authbench.experiments.services.mesh import Mesh
from authbench.experiments.services.plan import Checking, ServicesPlan, services_of, shape_of
from authbench.experiments.services.requests import write_mesh_requests
from authbench.experiments.services.ways import WAYS, Way
from authbench.experiments.services.window import Window, Windows
from authbench.generator import Fire
from authbench.histogram import decode
from authbench.observed import Observation
from authbench.records import Level, Reason
from authbench.trial import OPEN_MODEL_POOL
from authbench.working_set import REWARM_REQUESTS


def measure(ground: Ground, plan: ServicesPlan) -> None:
    """Records an observation a way, topology and launch. Raises StackError where a part fails.

    A way whose users' strategy has not passed verification is left out.
    """
    able = {strategy.name for strategy in ground.strategies}
    for name in plan.checking:
        if WAYS[name].strategy not in able:
            ground.watcher.say(f"[yellow]not measured:[/] {name}: needs {WAYS[name].strategy}")
    ways = [WAYS[name] for name in plan.checking if WAYS[name].strategy in able]
    mesh = Mesh(ground.stack, plan.services)
    try:
        with Windows(ground.stack, ground.generator, mesh) as windows:
            _launches(ground, plan, ways, _Course(ground, plan, mesh, windows))
    except psycopg.Error as error:
        ground.stack.check()  # where it has died, its log says more
        raise StackError(f"{plan.kind}: the database failed: {error}") from error
    finally:
        mesh.stop()


def _launches(ground: Ground, plan: ServicesPlan, ways: Sequence[Way], course: "_Course") -> None:
    planned = plan.estimated_seconds(len(ways), 1)
    for launch in range(ground.launches):
        draw = Random(f"{ground.seed}:{launch}")  # noqa: S311 - an experiment's order, not a secret
        for way in draw.sample(ways, k=len(ways)):
            topologies = draw.sample(plan.topology, k=len(plan.topology))
            wanted = [each for each in topologies if not ground.is_done(plan.kind, launch, levels_of(way, each))]
            if wanted:
                course.run(way, wanted, launch)
        ground.watcher.measured((launch + 1) * planned, ground.launches * planned)


class _Course:
    """One way on fresh processes, through all topologies."""

    def __init__(self, ground: Ground, plan: ServicesPlan, mesh: Mesh, windows: Windows) -> None:
        self._ground, self._plan, self._mesh, self._windows = ground, plan, mesh, windows
        self._files: dict[tuple[Checking, str], Path] = {}

    def run(self, way: Way, topologies: Sequence[str], launch: int) -> None:
        """Records an observation a topology."""
        watcher, plan = self._ground.watcher, self._plan
        watcher.phase(f"launch {launch + 1}: {plan.services} services, {way.checking}: fresh processes")
        self._mesh.start(way)
        for topology in warming(plan.topology):
            self._ground.generator.fire(self._closed(way, topology, count=plan.warm_up_requests))
        for topology in topologies:
            watcher.phase(f"launch {launch + 1}: {way.checking}, {topology}")
            self._ground.generator.fire(self._closed(way, topology, count=REWARM_REQUESTS))
            opened = self._windows.fire(way.strategy, self._open(way, topology), plan.attempts)
            closed = self._windows.fire(way.strategy, self._closed(way, topology), plan.attempts)
            self._ground.record(self._observed(way, topology, launch, opened, closed))
        self._ground.stack.check()

    def _observed(self, way: Way, topology: str, launch: int, opened: Window, closed: Window) -> Observation:
        latency = decode(opened.load.latency_hist).quantile_us(0.5)
        values = {
            **counted(way, opened, closed),
            measures.P50.name: None if latency is None else latency / 1000,
            measures.CPU.name: closed.cpu_ms(),
            measures.GATEWAY_CPU.name: closed.cpu_ms("lb"),
            measures.SERVICES_CPU.name: closed.cpu_ms("app"),
            measures.AUTH_CPU.name: closed.cpu_ms("auth"),
            measures.DATABASE_CPU.name: closed.cpu_ms("db"),
            measures.DATABASE_CONNECTIONS.name: self._windows.connections(way.strategy),
            measures.KEPT.name: closed.received.most_connections,
        }
        return Observation(
            kind=measures.KIND,
            launch=launch,
            levels=levels_of(way, topology),
            values=values,
            reasons=_reasons(opened, closed),
            histograms={measures.LATENCY: opened.load.latency_hist},
        )

    def _open(self, way: Way, topology: str) -> Fire:
        """A known number of requests, evenly spaced: none waits for another before the rate is too high."""
        plan = self._plan
        more = {"rate_rps": plan.rate_rps, "arrivals": "constant", "count": plan.rate_requests}
        return self._fire(way, topology, "rate", connections=OPEN_MODEL_POOL, **more)

    def _closed(self, way: Way, topology: str, count: int | None = None) -> Fire:
        duration = self._plan.closed_s if count is None else None
        connections = self._plan.connections
        return self._fire(way, topology, "saturate", connections=connections, count=count, duration_s=duration)

    def _fire(self, way: Way, topology: str, model: str, **more: object) -> Fire:
        file = self._file(way, topology)
        return Fire.model_validate({"url": self._mesh.url, "requests": str(file), "model": model, **more})

    def _file(self, way: Way, topology: str) -> Path:
        """The same users for every way and topology."""
        key = (way.checking, topology)
        if key not in self._files:
            path = self._ground.stack.folder / f"mesh-{way.checking}-{topology}.jsonl"
            strategy = next(each for each in self._ground.strategies if each.name == way.strategy)
            rows = self._ground.minted[way.strategy].unverified[: self._plan.users]
            write_mesh_requests(path, rows, strategy, topology)
            self._files[key] = path
        return self._files[key]


def levels_of(way: Way, topology: str) -> dict[str, Level]:
    """Factor -> level; the strategy is that of the users' logins."""
    return {"checking": way.checking, "topology": topology, "strategy": way.strategy}


def counted(way: Way, opened: Window, closed: Window) -> Mapping[str, float | None]:
    """The exact counts. Calls come from both windows, whose number of requests is known; bytes from the open one, which
    sends the same requests at every launch."""
    windows = (opened, closed)
    sent = sum(each.load.sent for each in windows)
    if not sent or not opened.received.requests or not opened.load.sent:
        return {measures.SENT.name: sent}
    statements = sum(each.statements for each in windows)
    calls = sum(each.auth_calls for each in windows)
    return {
        measures.SENT.name: sent,
        # What the auth service asks of its own database is not asked by a service.
        measures.AUTH_CALLS.name: (calls + (0 if way.auth else statements)) / sent,
        measures.STATEMENTS.name: statements / sent,
        measures.CHECKS.name: sum(each.received.requests for each in windows) / sent,
        measures.HEADER_BYTES.name: opened.received.header_bytes / opened.received.requests,
        measures.EDGE_BYTES.name: opened.edge_bytes / opened.load.sent,
        measures.OPENED.name: sum(each.received.connections for each in windows),
    }


def warming(topologies: Sequence[str]) -> list[str]:
    """Those that together pass every service, and have all but the last ask another: the longest chain, where there is
    one, and the widest fan-out, where it passes more."""
    longest = {shape_of(each)[0]: each for each in sorted(topologies, key=services_of)}
    chain, fan_out = longest.get("chain"), longest.get("fan-out")
    if chain is None or fan_out is None:
        return list(longest.values())
    return [chain, fan_out] if services_of(fan_out) > services_of(chain) else [chain]


def _reasons(opened: Window, closed: Window) -> tuple[Reason, ...]:
    """Each once, with the window that it is about."""
    return tuple(
        Reason(code=reason.code, message=f"{model}: {reason.message}")
        for model, window in (("open model", opened), ("closed model", closed))
        for reason in window.reasons
    )

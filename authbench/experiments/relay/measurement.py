"""How far the relay's distance is from what it is set to, idle and while others use it, for both stores."""

import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
import redis

from authbench.errors import StackError
from authbench.experiments.ground import Ground
from authbench.experiments.relay.measures import DIRECT, LATE, NO_PRESSURE, THROUGH
from authbench.experiments.relay.plan import PRESSED_S, SPARE, Pressure, RelayPlan
from authbench.experiments.relay.timing import timed, to_postgres, to_valkey, warmed
from authbench.histogram import LOWEST_US, new_histogram
from authbench.observed import Observation
from authbench.records import Level, Reason
from authbench.stack.relay import POSTGRES, VALKEY, Relay, RelayStatus, pressing

WARM_EXCHANGES = 2  # of every connection of the others: the password, and one more
ASKED_EVERY_S = 0.02
LEAST_PRESSURE = 0.8  # of the rate that others were to have
Cell = tuple[str, Pressure | None]  # the store, and what others do meanwhile


def measure(ground: Ground, plan: RelayPlan) -> None:
    """Records an observation a distance, store, pressure and launch, each launch and distance on a relay of its own.

    Raises StackError where a part fails.
    """
    cells: list[Cell] = [(POSTGRES, None), (VALKEY, None), *((VALKEY, each) for each in plan.pressure)]
    try:
        for launch in range(ground.launches):
            draw = random.Random(f"{ground.seed}:{launch}")  # noqa: S311 - an experiment's order, not a secret
            for distance_ms in draw.sample(plan.distances_ms, k=len(plan.distances_ms)):
                todo = [
                    cell
                    for cell in draw.sample(cells, k=len(cells))
                    if not ground.is_done(plan.kind, launch, _levels(distance_ms, cell))
                ]
                if not todo:
                    continue
                ground.watcher.phase(f"launch {launch + 1}: the relay's own error at {distance_ms:g} ms")
                relay = ground.stack.start_relay(distance_ms)
                for cell in todo:
                    ground.record(_observed(ground, plan, relay, launch, cell))
    except (psycopg.Error, redis.RedisError) as error:
        ground.stack.check()  # where the part has died, its log says more
        raise StackError(f"{plan.kind}: a store failed: {error}") from error
    finally:
        ground.stack.stop_relay()


def _levels(distance_ms: float, cell: Cell) -> Mapping[str, Level]:
    store, pressure = cell
    return {
        "distance_ms": distance_ms,
        "store": store,
        "pressure": NO_PRESSURE if pressure is None else pressure.described(),
    }


def _observed(ground: Ground, plan: RelayPlan, relay: Relay, launch: int, cell: Cell) -> Observation:
    store, pressure = cell
    if store == POSTGRES:
        opened, ports = to_postgres(ground.stack.postgres), (relay.to_postgres, relay.postgres_port)
    else:
        opened, ports = to_valkey(ground.stack.valkey), (relay.to_valkey, relay.valkey_port)
    set_us = relay.round_trip_ms * 1000
    with _pressed(ground, plan, relay, pressure), warmed(opened, *ports) as (direct, through):
        before, begun = relay.status(), time.monotonic()
        found = timed(direct, through, plan.exchanges, set_us)
        now, took_s = relay.status(), time.monotonic() - begun
    exchanges = now.routes[store].exchanges - before.routes[store].exchanges
    pressed_rps = None if pressure is None else (exchanges - plan.exchanges) / took_s
    return Observation(
        kind=plan.kind,
        launch=launch,
        levels=_levels(relay.round_trip_ms, cell),
        values={
            **found.values(set_us),
            "exchanges": exchanges,
            "pressed_rps": pressed_rps,
        },
        reasons=_too_little(pressure, pressed_rps),
        histograms={DIRECT: found.direct, THROUGH: found.through, LATE: handed_on_late(before, now)},
    )


def _too_little(pressure: Pressure | None, pressed_rps: float | None) -> tuple[Reason, ...]:
    if pressure is None or pressed_rps is None or pressed_rps >= LEAST_PRESSURE * pressure.rate_rps:
        return ()
    told = f"others made {pressed_rps:.0f} exchanges/s meanwhile, not {pressure.rate_rps:g}"
    return (Reason(code="pressure-too-low", message=told),)


def handed_on_late(before: RelayStatus, now: RelayStatus) -> str:
    """How late chunks were handed on in between, in µs, as records keep histograms."""
    earlier, found = dict(before.late_us), new_histogram()
    for late_us, count in now.late_us:
        if more := count - earlier.get(late_us, 0):
            found.record_value(max(late_us, LOWEST_US), more)
    return str(found.encode().decode())


@contextmanager
def _pressed(ground: Ground, plan: RelayPlan, relay: Relay, pressure: Pressure | None) -> Iterator[None]:
    """The block, from when others have begun to use the relay until they are through. Raises StackError."""
    if pressure is None:
        yield
        return
    needed_s = plan.pair_s(relay.round_trip_ms) * plan.exchanges * SPARE + PRESSED_S
    command = pressing(
        relay, ground.stack.valkey.password, pressure.connections, pressure.rate_rps, needed_s, ground.stack.folder
    )
    failed: list[StackError] = []

    def run() -> None:
        try:
            ground.stack.run(command)
        except StackError as error:
            failed.append(error)

    before = relay.status().routes[VALKEY].exchanges + WARM_EXCHANGES * pressure.connections
    others = threading.Thread(target=run, name="pressure")
    others.start()
    try:
        while others.is_alive() and relay.status().routes[VALKEY].exchanges < before:
            time.sleep(ASKED_EVERY_S)
        yield
    finally:
        others.join()
    if failed:
        raise failed[0]

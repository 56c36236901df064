"""Times exchanges with a store, one without and one through the relay in turn, so that drift hits both alike."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace

from authbench.experiments.relay.plan import PAUSE_MS
from authbench.histogram import LOWEST_US, decode, new_histogram
from authbench.stack.postgres import Postgres
from authbench.stack.valkey import Valkey

WARM_UP = 10  # exchanges each way that are not kept
QUANTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
Exchange = Callable[[], object]
Open = Callable[[int], AbstractContextManager[Exchange]]  # port -> an exchange, on one connection that is kept


@dataclass(frozen=True, slots=True)
class Timed:
    """Two ways to the same store: histograms in µs, as records keep them."""

    direct: str
    through: str
    early: int  # of those through the relay, how many took less than it was set to

    def values(self, set_us: float) -> dict[str, float | None]:
        """The measures of these exchanges; `set_us`: what the relay was to add."""
        direct, through = decode(self.direct), decode(self.through)
        usual = direct.quantile_us(QUANTILES["p50"])
        taken = {name: through.quantile_us(share) for name, share in QUANTILES.items()}
        errors = {
            f"error_{name}_us": None if value is None or usual is None else value - usual - set_us
            for name, value in taken.items()
        }
        return {"direct_p50_us": usual, "through_p50_us": taken["p50"], **errors, "early": self.early}


def to_postgres(server: Postgres) -> Open:
    """`SELECT 1`, as libpq sends it."""

    @contextmanager
    def opened(port: int) -> Iterator[Exchange]:
        with server.at(port).connect() as connection:
            yield lambda: connection.pgconn.exec_(b"SELECT 1")

    return opened


def to_valkey(server: Valkey) -> Open:
    """`PING`."""

    @contextmanager
    def opened(port: int) -> Iterator[Exchange]:
        with closing(replace(server, port=port).connect()) as client:
            yield client.ping

    return opened


@contextmanager
def warmed(opened: Open, direct_port: int, relay_port: int) -> Iterator[tuple[Exchange, Exchange]]:
    """An exchange without and one through the relay, each on a connection that has been used."""
    with opened(direct_port) as direct, opened(relay_port) as through:
        for _ in range(WARM_UP):
            direct()
            through()
        yield direct, through


def timed(straight: Exchange, relayed: Exchange, count: int, set_us: float) -> Timed:
    """`count` exchanges each way. Raises what the stores' clients raise."""
    direct, through, early = new_histogram(), new_histogram(), 0
    for _ in range(count):
        time.sleep(PAUSE_MS / 1000)  # as idle before the one as before the other
        direct.record_value(max(round(_took_ns(straight) / 1000), LOWEST_US))
        time.sleep(PAUSE_MS / 1000)
        took_ns = _took_ns(relayed)
        through.record_value(max(round(took_ns / 1000), LOWEST_US))
        early += took_ns < set_us * 1000
    return Timed(str(direct.encode().decode()), str(through.encode().decode()), early)


def _took_ns(exchange: Exchange) -> int:
    begun = time.perf_counter_ns()
    exchange()
    return time.perf_counter_ns() - begun

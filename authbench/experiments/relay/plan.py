"""How far the relay's distance is from what it is set to: exchanges timed with and without it."""

from typing import Annotated, Literal

from pydantic import Field

from authbench.deployment import DistanceMs
from authbench.experiments.plan import Plan
from authbench.records import Frozen

START_S = 0.4  # of a relay, and of the connections that are timed
PAUSE_MS = 1.0  # before every exchange, so that both ways find everybody as idle
DIRECT_MS = 0.1  # of an exchange without the relay
SPARE = 2.0  # the timing may take that much longer than planned; later exchanges would be undisturbed
PRESSED_S = 0.5  # of the pressing process, to come up


class Pressure(Frozen):
    """Exchanges that others make through the relay meanwhile."""

    connections: Annotated[int, Field(ge=1, le=512)]
    rate_rps: Annotated[float, Field(gt=0, le=20_000)]

    def described(self) -> str:
        """As the level of the factor `pressure`."""
        return f"{self.rate_rps:g}/s on {self.connections}"


class RelayPlan(Plan):
    """What is timed, at every distance, on a relay of its own each launch."""

    kind: Literal["relay"]
    distances_ms: Annotated[tuple[DistanceMs, ...], Field(min_length=1)]
    exchanges: Annotated[int, Field(ge=20, le=100_000)] = 200  # timed each way, a store
    pressure: tuple[Pressure, ...] = ()  # besides none

    def estimated_seconds(self, strategies: int, launches: int) -> float:  # noqa: ARG002 - as every plan's
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        pairs_s = [self.exchanges * self.pair_s(each) for each in self.distances_ms]
        pressed_s = sum(pairs_s) * SPARE + PRESSED_S * len(pairs_s)
        return launches * (START_S * len(pairs_s) + 2 * sum(pairs_s) + len(self.pressure) * pressed_s)

    def pair_s(self, distance_ms: float) -> float:
        """One exchange without and one through the relay, and the pauses before them."""
        return (2 * PAUSE_MS + 3 * DIRECT_MS + distance_ms) / 1000

"""Counts logins lost: under every method, with no event, with a replica that joins, with one that leaves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from apps.contract.registry import Strategy
from authbench.balancing import Balancing
from authbench.errors import StackError
from authbench.experiments.ground import Ground
from authbench.experiments.routing.clients import networks, one_network
from authbench.experiments.routing.crowd import Crowd
from authbench.experiments.routing.logins import Keeper, Logins, keeper_of
from authbench.experiments.routing.plan import EVENTS, REPLICAS, Event, FileStore, RoutingPlan
from authbench.observed import Observation
from authbench.records import Level

ALL = tuple(range(1, REPLICAS + 1))
BEFORE_JOIN, AFTER_LEAVE = ALL[:-1], ALL[1:]  # the last one joins; the first one, whom clients know, leaves
BY_ADDRESS: tuple[Balancing, ...] = ("ip hash", "ip consistent")
STRANGERS, OFFICE = "many networks", "one network"


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of levels."""

    strategy: Strategy
    store: Keeper
    method: Balancing
    event: Event
    clients: str = STRANGERS

    def levels(self) -> dict[str, Level]:
        """Factor -> level, as records keep it."""
        return {
            "part": "logins",
            "strategy": self.strategy.name,
            "store": self.store,
            "method": self.method,
            "event": self.event,
            "clients": self.clients,
        }


def cells(strategies: Sequence[Strategy], file_store: FileStore, methods: Sequence[Balancing]) -> Iterator[Cell]:
    """What is counted while replicas share the folder of session files, or do not."""
    for strategy in strategies:
        store = keeper_of(strategy, file_store)
        for method in methods:
            yield from (Cell(strategy, store, method, event) for event in EVENTS)
            if method in BY_ADDRESS and strategy is strategies[0]:  # a balancer by address looks at nothing else
                yield Cell(strategy, store, method, "none", OFFICE)


Crowds = Sequence[tuple[Cell, Crowd]]


class Count:
    """Carries out the cells of one launch on the replicas that run: all REPLICAS of every strategy."""

    def __init__(self, ground: Ground, plan: RoutingPlan, launch: int, draw: Random) -> None:
        self._ground = ground
        self._plan = plan
        self._launch = launch
        self._draw = draw

    def carry_out(self, wanted: Sequence[Cell]) -> None:
        """Records every cell. Ends with the first replica of their strategies gone.

        The balancer knows two replicas, and clients log in; it learns of the third ("joins"), and others log in, who
        lose the first ("leaves"). It ends once, after the clients of every method have logged in.
        """
        methods = tuple(dict.fromkeys(cell.method for cell in wanted))
        leaving: list[tuple[Balancing, Crowds]] = []
        for method in self._draw.sample(methods, k=len(methods)):
            here = [cell for cell in wanted if cell.method == method]
            self._balance(here, method, BEFORE_JOIN)
            steady, joined = self._logged_in(here, "none"), self._logged_in(here, "joins")
            self._finish(steady)
            self._balance(here, method, ALL)
            self._finish(joined)
            leaving.append((method, self._logged_in(here, "leaves")))
        for strategy in dict.fromkeys(cell.strategy.name for cell in wanted):
            self._ground.stack.end_replica(strategy, ALL[0])
        for method, crowds in leaving:
            self._balance([cell for cell, _ in crowds], method, AFTER_LEAVE)
            self._finish(crowds)
        self._ground.stack.check()

    def _balance(self, here: Sequence[Cell], method: Balancing, members: Sequence[int]) -> None:
        self._ground.stack.balance({cell.strategy.name: method for cell in here}, members)

    def _logged_in(self, here: Sequence[Cell], event: Event) -> Crowds:
        affected = [cell for cell in here if cell.event == event]
        return [(cell, self._crowd(cell)) for cell in self._draw.sample(affected, k=len(affected))]

    def _crowd(self, cell: Cell) -> Crowd:
        stack, plan, name = self._ground.stack, self._plan, cell.strategy.name
        addresses = (one_network if cell.clients == OFFICE else networks)(plan.users, self._draw)
        port = urlsplit(stack.url(name)).port
        assert port is not None
        crowd = Crowd(cell.strategy, port, addresses, plan.in_flight, self._draw)
        try:
            crowd.log_in(Logins(self._ground.minted[name].unverified, cell.store, stack.replica_names(name)))
        except (ValueError, KeyError) as error:
            raise StackError(f"{name}: clients cannot log in: {error}") from error
        return crowd

    def _finish(self, crowds: Crowds) -> None:
        for cell, crowd in crowds:
            crowd.send(self._plan.requests)
            row = Observation(
                kind=self._plan.kind,
                launch=self._launch,
                levels=cell.levels(),
                values=crowd.values(),
                reasons=crowd.reasons(),
            )
            self._ground.record(row)

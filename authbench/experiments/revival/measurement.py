"""Which ended logins come back: after a fault, by a race, or because their logout failed half-way."""

from collections.abc import Callable, Mapping
from functools import partial
from random import Random

import httpx

from apps.contract.credentials import load
from apps.contract.registry import Strategy
from authbench.conformance.verification import Minted
from authbench.conformance.visitor import unconnected
from authbench.deployment import Deployment
from authbench.experiments.ground import Ground
from authbench.experiments.revival import events
from authbench.experiments.revival.clients import Clients, asked_of
from authbench.experiments.revival.halves import Halves
from authbench.experiments.revival.held import Held, Step
from authbench.experiments.revival.logins import Logins
from authbench.experiments.revival.plan import CRASHES, REPLICAS, Event, RevivalPlan
from authbench.experiments.revival.races import CHANCE, Races, Values
from authbench.faults.injector import Injector
from authbench.observed import Observation
from authbench.records import Level

RESTART: Event = "cache restart"


def measure(ground: Ground, plan: RevivalPlan) -> None:
    """Records an observation a combination of levels and launch. Raises StackError where a part fails."""
    planned = ground.stack.deployment
    try:
        with unconnected() as http:
            known = [each for each in ground.strategies if each.carrier != "none"]
            clients = {each.name: _clients(http, ground, each) for each in known}
            for launch in range(ground.launches):
                Launch(ground, plan, launch, clients).carry_out()
    finally:
        ground.stack.stop_replicas()
        ground.stack.stop_relay()
        ground.stack.deployment = planned  # whoever comes next starts as many as before


def _clients(http: httpx.Client, ground: Ground, strategy: Strategy) -> Clients:
    credential = load(strategy.carrier, ground.minted[strategy.name].customer["credential"])
    return Clients(http, ground.stack, strategy, asked_of(strategy, credential))


class Launch:
    """One launch of fresh replicas: events first, which need no relay, then what is held behind one."""

    def __init__(self, ground: Ground, plan: RevivalPlan, launch: int, clients: Mapping[str, Clients]) -> None:
        self._ground = ground
        self._plan = plan
        self._launch = launch
        self._clients = clients
        self._logins = {
            each.name: Logins(ground.stack, each, len(ground.minted[each.name].rows) + 1) for each in ground.strategies
        }
        self._draw = draw = Random(f"{ground.seed}:{launch}")  # noqa: S311 - an experiment's order, not a secret
        concerned = [each for each in ground.strategies if each.name in clients]
        self._order = draw.sample(concerned, k=len(concerned))

    def carry_out(self) -> None:
        """Records everything of the launch that is not recorded yet. Crashes last: they break all connections."""
        stack = self._ground.stack
        batch = len(self._ground.minted[self._order[0].name].rows) + 1
        for name, path in stack.mint_all(self._order, batch).items():
            self._logins[name].give(Minted.read(path).unverified)
        direct = stack.deployment.model_copy(update={"replicas": REPLICAS, "distance_ms": None})
        stack.start_replicas(deployment=direct)
        self._say("logouts, then a fault")
        for strategy in self._order:
            for event in self._plan.event:
                if event != RESTART and event not in CRASHES:
                    self._event(strategy, event)
        if RESTART in self._plan.event:
            self._restart_cache()
        if self._plan.race or self._plan.twice or self._plan.half:
            self._say("requests are overtaken")
            self._hold_all(direct)
        if any(event in CRASHES for event in self._plan.event):
            self._say("the database crashes after logouts")
            for strategy in self._order:
                self._crashes(strategy)
        stack.check()

    # Faults after logouts

    def _event(self, strategy: Strategy, event: Event) -> None:
        clients, logins, stack = self._clients[strategy.name], self._logins[strategy.name], self._ground.stack
        if not events.concerns(event, clients) or self._is_done(wanted := events.levels(clients, event)):
            return
        party = events.log_out(clients, logins, self._plan.users)
        if event == "cache flush":
            with Injector(stack, strategy.name) as injector:
                injector.begin(events.FLUSHED)
            logins.discard()
        self._record(wanted, events.seen(party))

    def _crashes(self, strategy: Strategy) -> None:
        clients, logins = self._clients[strategy.name], self._logins[strategy.name]
        for event in (each for each in self._plan.event if each in CRASHES):
            if events.concerns(event, clients) and not self._is_done(wanted := events.levels(clients, event)):
                kept = event == CRASHES[-1]
                self._record(wanted, events.crash(self._ground.stack, clients, logins, self._plan.users, kept=kept))

    def _restart_cache(self) -> None:
        """One restart for all who have it on their way: it empties everybody's."""
        wanted = {
            each.name: levels
            for each in self._order
            if events.concerns(RESTART, self._clients[each.name])
            and not self._is_done(levels := events.levels(self._clients[each.name], RESTART))
        }
        if not wanted:
            return
        parties = {name: events.log_out(self._clients[name], self._logins[name], self._plan.users) for name in wanted}
        with Injector(self._ground.stack, next(iter(wanted))) as injector:
            injector.begin(events.RESTARTED)
        for logins in self._logins.values():
            logins.discard()
        for name, party in parties.items():
            self._record(wanted[name], events.seen(party))

    # What is held

    def _hold_all(self, direct: Deployment) -> None:
        """Every strategy whose requests can be overtaken, behind a relay that is gone afterwards."""
        stack = self._ground.stack
        stack.start_relay(0.0)
        stack.deployment = direct.model_copy(update={"distance_ms": 0.0})
        try:
            for strategy in self._order:
                # Some replicas believe the balancer alone, and of some only one has the login.
                if self._clients[strategy.name].ends_something and not strategy.edge and not strategy.sticky:
                    with Held(stack, strategy.name) as held:
                        self._held(strategy, held)
        finally:
            stack.stop_relay()
            stack.deployment = direct

    def _held(self, strategy: Strategy, held: Held) -> None:
        stack, clients, logins = self._ground.stack, self._clients[strategy.name], self._logins[strategy.name]
        races = Races(stack, clients, logins, held, self._plan.times, self._draw)
        for slow in self._plan.race:
            if slow != "whoami" or races.is_cold(slow):
                if slow == "preferences" and strategy.location == "file":
                    self._at("race", strategy, slow, CHANCE, partial(races.by_chance, slow))
                for step in races.steps(slow):
                    self._at("race", strategy, slow, step, partial(races.logged_out, slow, step))
        if self._plan.twice:
            for endpoint in ("refresh", *(["whoami"] if strategy.one_time else [])):
                for step in races.steps(endpoint):
                    self._at("twice", strategy, endpoint, step, partial(races.twice, endpoint, step))
        if self._plan.half:
            halves = Halves(stack, clients, logins, held, self._plan.times)
            for step in halves.steps():
                self._at("half", strategy, "logout", step, partial(halves.broken_off, step))

    def _at(self, part: str, strategy: Strategy, request: str, step: Step, values: Callable[[], Values]) -> None:
        wanted: dict[str, Level] = {
            "part": part,
            "strategy": strategy.name,
            "request": request,
            "step": step.number,
            "store": "file" if step is CHANCE else step.store,
            "operation": step.operation,
            "asked": self._clients[strategy.name].asked,
        }
        if not self._is_done(wanted):
            self._record(wanted, values())

    def _say(self, what: str) -> None:
        self._ground.watcher.phase(f"launch {self._launch + 1} of {self._ground.launches}: {what}")

    def _is_done(self, levels: Mapping[str, Level]) -> bool:
        return self._ground.is_done(self._plan.kind, self._launch, levels)

    def _record(self, levels: Mapping[str, Level], values: Values) -> None:
        self._ground.record(Observation(kind=self._plan.kind, launch=self._launch, levels=levels, values=values))

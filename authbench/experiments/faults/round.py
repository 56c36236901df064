"""One fault, done once to some strategies that run side by side, under load: what became of every request and user."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from random import Random

from authbench.deployment import Deployment
from authbench.experiments.faults.accounts import answered, disagreements, passed
from authbench.experiments.faults.cell import Cell, is_shared
from authbench.experiments.faults.crowd.arrivals import arrivals
from authbench.experiments.faults.crowd.client import Client
from authbench.experiments.faults.crowd.crowd import Crowd, Manner, port_of
from authbench.experiments.faults.crowd.loading import Loading, side_by_side
from authbench.experiments.faults.logins import Logins
from authbench.experiments.faults.logs import Log
from authbench.experiments.faults.measures import DELETED, FORGOTTEN, KEPT, KEPT_LOST, KIND, LOGGED_OUT, TIMELINE, USERS
from authbench.experiments.faults.orders import order_values, read_back
from authbench.experiments.faults.plan import FaultsPlan
from authbench.experiments.faults.window import Window
from authbench.experiments.ground import Ground
from authbench.faults.fault import Fault
from authbench.faults.injector import Injector
from authbench.observed import Observation
from authbench.stack.replicas import replica_name

REPLICAS = 2
WARM_UP_REQUESTS, AT_ONCE = 24, 8
LOOKING = 4  # users of each strategy who look at once whether they are still logged in
MINTED = "minted.jsonl"  # sessions that a replica of a sticky strategy takes into its memory when it starts


@dataclass(frozen=True, slots=True)
class Seen:
    """What a crowd has been through, and what its users found when it was over."""

    crowd: Crowd
    window: Window
    look: Sequence[int]  # each user's last whoami: 200, 401, or 0 where nobody answered
    deleted: int  # users whose cookie an answer has deleted until then
    mark: str  # begins every id of it

    @property
    def refused(self) -> list[int]:
        """Places of the users who have to log in again."""
        return [place for place, status in enumerate(self.look) if status == 401]

    @property
    def all_are_in(self) -> bool:
        """Whether every user is let in with the login that she began with, or what answers made of it."""
        return all(status == 200 for status in self.look) and not self._returned

    @property
    def _returned(self) -> int:
        return sum(client.returned for client in self.crowd.clients)

    def users(self, known: int) -> dict[str, float | None]:
        """By name of the measure. `known`: of the refused, those whose first login the server still takes."""
        answers = all(self.look)  # else nobody can say who is logged out
        return {
            USERS.name: float(len(self.look)),
            LOGGED_OUT.name: float(len(self.refused) + self._returned) if answers else None,
            FORGOTTEN.name: float(known) if answers else None,
            DELETED.name: float(self.deleted),
        }


class Round:
    """Cells of one fault, each of another strategy, in one launch."""

    def __init__(self, ground: Ground, plan: FaultsPlan, launch: int, logins: Logins) -> None:
        self._ground = ground
        self._plan = plan
        self._launch = launch
        self._logins = logins
        self._requests = ground.stack.folder / "requests"

    def carry_out(self, company: Sequence[Cell], leader: str, draw: Random) -> list[Cell]:
        """Records an observation a cell; gives those that do not count. `leader`: a strategy with the part on its way.

        Raises StackError where a part fails unasked.
        """
        again = []
        fault, mark = company[0].fault, secrets.token_hex(5)
        self._requests.mkdir(mode=0o700, exist_ok=True)
        with self._told(company):
            clients = self._logins.of([cell.strategy for cell in company])
            self._start(company)
            crowds = {
                cell.strategy.name: self._crowd(cell, clients[cell.strategy.name], f"{mark}n{number}", draw)
                for number, cell in enumerate(company)
            }
            side_by_side(*(crowd.warm_up(WARM_UP_REQUESTS, AT_ONCE) for crowd in crowds.values()))
            balancer = Log([self._ground.stack.nginx.requests_file])
            paths = {
                cell.strategy.name: [
                    self._requests / f"{replica_name(cell.strategy.name, number)}.log"
                    for number in range(1, REPLICAS + 1)
                ]
                for cell in company
            }
            own = {name: Log(each) for name, each in paths.items()}
            injected = [cell.strategy.name for cell in company] if not is_shared(fault) else [leader]
            windows = self._load(fault, injected, crowds, draw)
            deleted = {name: sum(client.deleted for client in crowd.clients) for name, crowd in crowds.items()}
            looks = side_by_side(*(crowd.last_look(LOOKING) for crowd in crowds.values()))
            self._logins.forget(fault)
            for number, (cell, look) in enumerate(zip(company, looks, strict=True)):
                name = cell.strategy.name
                seen = Seen(crowds[name], windows.get(name) or windows[leader], look, deleted[name], f"{mark}n{number}")
                if not self._record(cell, seen, balancer, own[name]):
                    again.append(cell)
        self._ground.stack.check()
        return again

    @contextmanager
    def _told(self, company: Sequence[Cell]) -> Iterator[None]:
        """Their processes write down what they answer, and run on the engine that the cell names."""
        stack = self._ground.stack
        before = {cell.strategy.name: stack.variants[cell.strategy.name] for cell in company}
        for cell in company:
            variant, told = before[cell.strategy.name], {"AUTHBENCH_REQUEST_LOG": str(self._requests)}
            if cell.settings is not None:
                told["DJANGO_SETTINGS_MODULE"] = cell.settings
            stack.swap(replace(variant, environment={**variant.environment, **told}))
        stack.log_requests(detailed=True)
        try:
            yield
        finally:
            stack.log_requests(detailed=False)
            for variant in before.values():
                stack.swap(variant)

    def _start(self, company: Sequence[Cell]) -> None:
        stack, fault = self._ground.stack, company[0].fault
        deployment = Deployment(
            replicas=REPLICAS,
            distance_ms=0.0 if fault.through_relay else None,
            # A replica that keeps its connections does not notice that there are no more.
            pooling="new" if fault.action == "exhaust" else None,
        )
        stack.start_replicas(deployment=deployment, only=[cell.strategy.name for cell in company])
        for cell in company:
            if cell.strategy.sticky:  # a replica that starts again has forgotten, as a process does
                (stack.session_folder(cell.strategy.name) / MINTED).unlink(missing_ok=True)

    def _crowd(self, cell: Cell, clients: Sequence[Client], mark: str, draw: Random) -> Crowd:
        stack, plan = self._ground.stack, self._plan
        password = stack.user_password if plan.logged_out == "logs in" else None
        manner = Manner(port_of(stack.url(cell.strategy.name)), plan.timeout_s, password, mark)
        return Crowd(clients, manner, Random(draw.random()))  # noqa: S311 - an experiment's order, not a secret

    def _load(
        self, fault: Fault, injected: Sequence[str], crowds: Mapping[str, Crowd], draw: Random
    ) -> Mapping[str, Window]:
        """Fires on all; does the fault at its second and undoes it at its end. Whom it was done to -> when it held."""
        plan, seed = self._plan, draw.random()
        # Each crowd's requests are due at the same moments: what one strategy is asked, all are.
        known = self._ground.stack.strategies
        due = {name: arrivals(plan.rate_rps, plan.endpoints(known[name]), Random(seed)) for name in crowds}  # noqa: S311
        with ExitStack() as held:
            injectors = {name: held.enter_context(Injector(self._ground.stack, name)) for name in injected}
            for each in injectors.values():
                each.prepare(fault)
            loading = held.enter_context(Loading(crowds, due))

            def hold(injector: Injector) -> tuple[float, float]:
                begin_s = loading.now_s
                injector.begin(fault)
                loading.wait_until(begin_s + fault.for_s)
                injector.end(fault)
                return begin_s, loading.now_s

            loading.wait_until(fault.at_s)
            with ThreadPoolExecutor(len(injectors)) as pool:  # to each strategy at once, and for as long
                spans = dict(zip(injectors, pool.map(hold, injectors.values()), strict=True))
            until_s = max(end_s for _, end_s in spans.values()) + plan.after_s
            loading.end_at(until_s)
            return {name: Window(begin_s, end_s, until_s) for name, (begin_s, end_s) in spans.items()}

    def _record(self, cell: Cell, seen: Seen, balancer: Log, own: Log) -> bool:
        """Whether it counts."""
        plan, crowd, ended = self._plan, seen.crowd, seen.crowd.ended
        (known,) = side_by_side(crowd.still_known(seen.refused))
        keeping = [place for place, client in enumerate(crowd.clients) if client.knows and seen.look[place] == 200]
        (missing,) = side_by_side(crowd.without_what_they_kept(keeping))
        kept: dict[str, float | None] = {KEPT.name: float(len(keeping)), KEPT_LOST.name: float(len(missing))}
        heard = [each.identity for each in ended if each.status]
        stored = read_back(self._ground.stack, cell.strategy.name, seen.mark)
        orders, disagreeing = order_values(ended, crowd.clients, stored)
        in_logs = disagreements(
            ended, passed(balancer.lines_with(heard, seen.mark)), answered(own.lines_with(heard, seen.mark))
        )
        if seen.all_are_in and not seen.deleted:
            self._logins.give_back(cell.strategy, crowd.clients)
        observed = Observation(
            kind=KIND,
            launch=self._launch,
            levels=cell.levels(),
            values={**seen.window.values(ended, plan.stretch_s), **seen.users(len(known)), **orders, **kept},
            reasons=(*seen.window.reasons(ended), *in_logs, *disagreeing),
            series={TIMELINE: seen.window.timeline(ended, plan.bin_s)},
        )
        self._ground.record(observed)
        return observed.valid

"""A window of load as Locust sees it: one user whose only task carries out the plan."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from loadtests.closed_model import ClosedModel
from loadtests.firing import Firing
from loadtests.locust_stats import Feed
from loadtests.open_model import OpenModel
from loadtests.plan import Plan, PlanError, host_header
from loadtests.pool import Pool
from loadtests.prepared import Chains, Request, read_requests
from loadtests.priority import real_time
from loadtests.result import load_record
from loadtests.schedule import arrivals
from loadtests.tally import Spent, Tally
from loadtests.timer import timer_name

KEPT_POOLS = 8  # windows that alternate between a few origins find their connections open


class Volley(User):
    """Carries out the firing that its environment holds, then stops."""

    @task
    def fire(self) -> None:
        """One window."""
        environment: Any = self.environment
        battery: Battery = environment.battery
        battery.spent = battery.carry_out()
        raise StopUser


class Battery:
    """Locust's environment and runner, used for one window after the other.

    Keeps the pools of the last URLs, and for its whole life the one-time tokens that answers gave.
    """

    def __init__(self, pinned: bool = False) -> None:
        """`pinned`: this process has a core to itself."""
        self._pinned = pinned
        self.spent: Spent | None = None
        environment: Any = Environment(user_classes=[Volley])
        environment.battery = self
        self._runner: Any = environment.create_local_runner()
        self._runner.greenlet.kill(block=False)  # Locust's own watch of CPU and memory would fall into windows
        self._chains = Chains()
        self._pools: dict[str, Pool] = {}  # the last used one at the end
        self._firing: Firing | None = None
        self._timer = timer_name()

    def fire(self, plan: Plan) -> Mapping[str, Any]:
        """One window of load. Raises PlanError where the plan cannot be carried out."""
        requests = read_requests(Path(plan.requests), host_header(plan.url), self._chains)
        if plan.first >= len(requests):
            raise PlanError(f"first {plan.first}: {plan.requests} holds {len(requests)} requests")
        tally = Tally()
        self._firing = new_firing(plan, self._pool_of(plan.url, plan.elsewhere), requests, tally)
        self.spent = None
        runner = self._runner
        try:
            runner.start(user_count=1, spawn_rate=1)
            runner.spawning_greenlet.join()
            runner.user_greenlets.join()
            Feed(runner.stats, requests, tally).feed()
        finally:
            runner.stop()
        if self.spent is None:
            raise RuntimeError("the window was not carried out; see the log")
        return load_record(plan, tally, self.spent, self._timer, requests)

    def _pool_of(self, url: str, elsewhere: bool) -> Pool:
        pool = self._pools.pop(url, None) or Pool(url, elsewhere=elsewhere)
        self._pools[url] = pool
        while len(self._pools) > KEPT_POOLS:
            self._pools.pop(next(iter(self._pools))).close()
        return pool

    def carry_out(self) -> Spent:
        """The window itself."""
        firing = self._firing
        assert firing is not None
        with real_time(self._pinned and isinstance(firing, OpenModel)):
            return firing.run()


def new_firing(plan: Plan, pool: Pool, requests: Sequence[Request], tally: Tally) -> Firing:
    """The model of a plan, ready to run."""
    if plan.model == "saturate":
        return ClosedModel(
            pool, requests, tally, plan.connections, plan.timeout_s, plan.duration_s, plan.count, first=plan.first
        )
    offsets = arrivals(plan.arrivals, plan.rate_rps or 0, plan.seed, duration_s=plan.duration_s, count=plan.count)
    return OpenModel(pool, requests, tally, plan.connections, plan.timeout_s, [offsets], first=plan.first)

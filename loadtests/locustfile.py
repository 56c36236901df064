"""Plain Locust, web UI and all, with the bench's open and closed model.

    locust -f loadtests/locustfile.py --host http://127.0.0.1:8000 --rate 200
    locust -f loadtests/locustfile.py --host URL --users-file users.jsonl --carrier bearer --headless -u 10 -t 10s
    locust -f loadtests/locustfile.py --host URL --model saturate --headless -u 32 -r 32 -t 10s

With `-u N` the open model's rate is split evenly among N users, so that together they make one schedule. Each user
has a credential of its own, from a login made before the load starts. With workers, `--rate` is each worker's.
With `--one-time` a user's token is replaced by each answer, so that he sends one request at a time: one that is due
before the answer is there waits for it, and the wait counts.
"""

import itertools
import sys
from argparse import ArgumentParser
from pathlib import Path
from time import monotonic_ns
from typing import Any

import gevent
from locust import User, events, task
from locust.exception import StopTest, StopUser
from locust.runners import MasterRunner

# Whatever folder Locust is started in. This folder itself is no place to import from.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from loadtests.aim import aim
from loadtests.closed_model import ClosedModel
from loadtests.firing import Firing
from loadtests.locust_stats import Feed
from loadtests.open_model import OpenModel
from loadtests.plan import PlanError
from loadtests.pool import Pool
from loadtests.prepared import Request
from loadtests.schedule import endless
from loadtests.tally import Tally
from loadtests.visitors import read_accounts, stranger, visitors

FEED_EVERY_S = 0.7


class Crew:
    """What the users of one test share: requests, tally, the schedule's zero."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        self.requests: list[Request] = []
        self.feeding: Any = None
        self.begin()

    def begin(self) -> None:
        """A new test: nothing counted, nobody started."""
        self.tally = Tally()
        self.places = itertools.count()
        self.zero_ns = monotonic_ns()
        self.feed = Feed(self.environment.stats, self.requests, self.tally) if self.requests else None

    def prepare(self, users: int) -> None:
        """Logs in as many accounts as there will be users. Raises PlanError where that fails."""
        options = self.environment.parsed_options
        url = self.environment.host or ""
        aim(url)
        if options.rate <= 0 or options.timeout <= 0 or options.connections < 0:
            raise PlanError("--rate and --timeout: more than 0; --connections: 1 or more")
        if not options.users_file:
            self.requests = [stranger(url, options.method, options.path or "/api/public")]
            return
        accounts = read_accounts(Path(options.users_file))[: max(users, 1)]
        if options.one_time and len(accounts) < users:
            raise PlanError(f"--one-time: {users} users need an account each, --users-file holds {len(accounts)}")
        if len(self.requests) < len(accounts):
            self.requests = visitors(
                url,
                accounts,
                options.carrier,
                options.method,
                options.path or "/api/whoami",
                one_time=options.one_time,
            )

    def keep_feeding(self) -> None:
        """Locust's statistics, until killed."""
        while True:
            gevent.sleep(FEED_EVERY_S)
            self.catch_up()

    def catch_up(self) -> None:
        """Feeds what has happened."""
        if self.feed is not None:
            self.feed.feed(forget=True)


class BenchUser(User):
    """A virtual user that sends its one prepared request over connections of its own."""

    abstract = True
    firing: Firing | None = None

    def on_start(self) -> None:
        """Takes a place in the crew."""
        crew: Crew = self.environment.crew
        self.crew, self.place = crew, next(crew.places)
        self.request = crew.requests[self.place % len(crew.requests)]
        self.pool = Pool(self.environment.host)

    @task
    def fire(self) -> None:
        """Sends until stopped."""
        self.firing = self.new_firing()
        try:
            self.firing.run()
        finally:
            self.pool.close()
        raise StopUser

    def stop(self, force: bool = False) -> bool:
        """With `--stop-timeout` requests in flight are waited for."""
        if not force and self.firing is not None:
            self.firing.wind_down()
        return bool(super().stop(force))

    def connections(self, usual: int) -> int:
        """How many this user may have: one where his next request needs his last one's answer."""
        return 1 if self.request.rolls else self.environment.parsed_options.connections or usual

    def new_firing(self) -> Firing:
        """The model of this user."""
        raise NotImplementedError


class OpenModelUser(BenchUser):
    """`--model rate`: its share of the rate, whatever the answers do."""

    def new_firing(self) -> Firing:
        """An endless schedule, in step with the other users'."""
        options = self.environment.parsed_options
        users = max(self.environment.runner.target_user_count, 1)
        since_ns = monotonic_ns() - self.crew.zero_ns
        schedule = endless(options.arrivals, options.rate, users, self.place, options.seed, since_ns)
        return OpenModel(
            self.pool,
            [self.request],
            self.crew.tally,
            self.connections(64),
            options.timeout,
            schedule,
            self.crew.zero_ns,
        )


class ClosedModelUser(BenchUser):
    """`--model saturate`: the next request as soon as the answer is there."""

    def new_firing(self) -> Firing:
        """Until stopped."""
        options = self.environment.parsed_options
        return ClosedModel(self.pool, [self.request], self.crew.tally, self.connections(1), options.timeout)


@events.init_command_line_parser.add_listener
def add_arguments(parser: ArgumentParser) -> None:
    """The bench's own arguments; Locust's web UI shows them too."""
    group = parser.add_argument_group("authbench")
    group.add_argument("--model", choices=["rate", "saturate"], default="rate", help="open or closed model")
    group.add_argument("--rate", type=float, default=100.0, help="requests a second of all users together (open model)")
    group.add_argument("--arrivals", choices=["constant", "poisson"], default="poisson", help="(open model)")
    group.add_argument(
        "--connections", type=int, default=0, help="a user's: at most (open, 64), or always busy (closed, 1)"
    )
    group.add_argument("--carrier", choices=["cookie", "bearer", "page", "none"], default="cookie")
    group.add_argument("--users-file", default="", help='JSON lines of {"username", "password"} to log in with')
    group.add_argument("--one-time", action="store_true", help="a token is good for one request (jwt-once)")
    group.add_argument("--method", default="GET")
    group.add_argument("--path", default="", help="default: /api/whoami for users, /api/public without --users-file")
    group.add_argument("--timeout", type=float, default=10.0, help="seconds until a request counts as unanswered")
    group.add_argument("--seed", type=int, default=0, help="of Poisson arrivals")


@events.init.add_listener
def log_in_first(environment: Any, **_: Any) -> None:
    """Without the web UI the number of users is known: log in before Locust's clock starts."""
    environment.crew = Crew(environment)
    options = environment.parsed_options
    if options.headless and not options.worker and not isinstance(environment.runner, MasterRunner):
        try:
            environment.crew.prepare(options.num_users or 1)
        except PlanError as error:
            sys.exit(f"locustfile: {error}")


@events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    """Chooses the users' class, logs in who has not logged in, starts to feed the statistics."""
    crew, runner, options = environment.crew, environment.runner, environment.parsed_options
    if len(environment.user_classes) > 1 or options.headless is False:
        environment.user_classes[:] = [OpenModelUser if options.model == "rate" else ClosedModelUser]
    if isinstance(runner, MasterRunner):
        return
    if not options.headless or not crew.requests:
        try:
            crew.prepare(runner.target_user_count or 1)
        except PlanError as error:
            raise StopTest(str(error)) from error
    crew.begin()
    crew.feeding = gevent.spawn(crew.keep_feeding)


@events.test_stop.add_listener
def finish(environment: Any, **_: Any) -> None:
    """Feeds what is left."""
    crew = environment.crew
    if crew.feeding is not None:
        crew.feeding.kill()
        crew.feeding = None
        crew.catch_up()

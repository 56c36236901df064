"""A request is held in front of each of its operations in turn, and is overtaken there: by a logout, or by its like."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import Random

from apps.contract.credentials import Credential
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.visitor import Answer
from authbench.experiments.revival import measures
from authbench.experiments.revival.clients import Clients, outcome_of
from authbench.experiments.revival.events import FLUSHED
from authbench.experiments.revival.held import FREE, HELD, Held, Step
from authbench.experiments.revival.logins import Login, Logins
from authbench.faults.injector import Injector

Values = dict[str, float | None]
Told = tuple[Answer | None, Credential]
CHANCE = Step(0, "database", "by chance")  # a store without a network: nothing can be stopped in front of it
CHANCES = 10  # tries for one interleaving elsewhere
TRIES = 4  # of one interleaving, where the machine was too slow for it


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests with one credential: the held one, and the one that overtook it."""

    login: Login
    slow: Told
    fast: Told
    waited: bool  # for the held one, which so came first


@dataclass(frozen=True, slots=True)
class Seen:
    """What is accepted after a pair."""

    pair: Pair
    old: bool  # the login's credential
    new: int  # of those that the two answers gave in its place


class Races:
    """Interleavings of one strategy, whose first replica is held."""

    def __init__(
        self, stack: EmbeddedStack, clients: Clients, logins: Logins, held: Held, times: int, draw: Random
    ) -> None:
        self._stack = stack
        self._clients = clients
        self._logins = logins
        self._held = held
        self._times = times
        self._draw = draw

    def steps(self, endpoint: str) -> tuple[Step, ...]:
        """The request's operations, once everything is connected; none where it is not answered 2xx."""
        cold = self.is_cold(endpoint)
        steps: tuple[Step, ...] = ()
        for _ in range(2):  # the first time opens connections
            login = self._login(cold=cold)
            (answer, _), steps = self._held.steps(partial(self._clients.call, login.credential, endpoint, HELD))
            if outcome_of(answer) != "ok":
                return ()
        return steps

    def logged_out(self, endpoint: str, step: Step) -> Values:
        """A logout overtakes the request there, or a refresh the logout."""
        overtaking = "refresh" if endpoint == "logout" else "logout"
        return _ended(*self._pairs(endpoint, overtaking, step), slow_ends=endpoint == "logout")

    def by_chance(self, endpoint: str) -> Values:
        """A logout is sent at some time while the request is under way."""
        pairs, took_s = [], 0.05
        with ThreadPoolExecutor(1) as pool:
            for _ in range(CHANCES * self._times):
                login = self._login(cold=False)
                began = time.monotonic()
                slow = pool.submit(self._clients.call, login.credential, endpoint, HELD)
                time.sleep(self._draw.uniform(0, took_s))
                fast = self._clients.call(login.credential, "logout", FREE)
                pairs.append(Pair(login, slow.result(), fast, waited=False))
                took_s = 0.9 * took_s + 0.1 * (time.monotonic() - began)
        return _ended([self._looked_at(pair) for pair in pairs], 0)

    def twice(self, endpoint: str, step: Step) -> Values:
        """The same request with the same credential overtakes it there."""
        seen, missed = self._pairs(endpoint, endpoint, step)
        accepted = [sum(outcome_of(answer) == "ok" for answer, _ in (each.pair.slow, each.pair.fast)) for each in seen]
        return {
            measures.PAIRS.name: float(len(seen)),
            measures.BOTH.name: float(accepted.count(2)),
            measures.ONE.name: float(accepted.count(1)),
            measures.LIVING.name: float(sum(each.new for each in seen)),
            measures.WAITED.name: float(sum(each.pair.waited for each in seen)),
            measures.MISSED.name: float(missed),
        }

    def _pairs(self, endpoint: str, other: str, step: Step) -> tuple[list[Seen], int]:
        """Pairs that came out as meant, and how many did not.

        What is accepted after a pair is asked before the next one, which may empty the cache; but where a strategy
        takes its time to revoke, after all of them and that time.
        """
        within_s = self._clients.strategy.revoked_within_s
        waiting: list[Pair] = []
        seen: list[Seen] = []
        missed = 0
        while len(waiting) + len(seen) < self._times and missed <= TRIES * self._times:
            login = self._login(cold=self.is_cold(endpoint))
            done = self._held.overtake(
                step,
                partial(self._clients.call, login.credential, endpoint, HELD),
                partial(self._clients.call, login.credential, other, FREE),
            )
            if done.meanwhile is None or not (done.certain or done.waited):
                missed += 1
                continue
            pair = Pair(login, done.answer, done.meanwhile, done.waited)
            if within_s:
                waiting.append(pair)
            else:
                seen.append(self._looked_at(pair))
        if waiting:
            time.sleep(within_s)
        return [*seen, *map(self._looked_at, waiting)], missed

    def _looked_at(self, pair: Pair) -> Seen:
        given = {credential for _, credential in (pair.slow, pair.fast) if credential.attach()}
        new = sum(self._clients.is_accepted(pair.login, each) for each in given - {pair.login.credential})
        return Seen(pair, self._clients.is_accepted(pair.login), new)

    def is_cold(self, endpoint: str) -> bool:
        """Who only reads changes the store where a cache is filled by it."""
        return endpoint == "whoami" and self._clients.fills_cache

    def _login(self, *, cold: bool) -> Login:
        """One whose session is in the cache, where there are cache and database, or (`cold`) is not."""
        (login,) = self._logins.take(1)
        if cold:
            with Injector(self._stack, self._clients.strategy.name) as injector:
                injector.begin(FLUSHED)
        else:
            self._clients.warm(login)
        return login


def _ended(seen: Sequence[Seen], missed: int, *, slow_ends: bool = False) -> Values:
    """`slow_ends`: the held request is the logout; else the one that overtook it is."""
    outcomes = [(outcome_of(each.pair.slow[0]), outcome_of(each.pair.fast[0])) for each in seen]
    told = outcomes if slow_ends else [(fast, slow) for slow, fast in outcomes]
    acknowledged = [each for each, (logout, _) in zip(seen, told, strict=True) if logout == "ok"]
    return {
        measures.LOGOUTS.name: float(len(seen)),
        measures.ACKNOWLEDGED.name: float(len(acknowledged)),
        measures.OTHER_OK.name: float(sum(other == "ok" for _, other in told)),
        measures.REVIVED.name: float(sum(each.old for each in acknowledged)),
        measures.RENEWED.name: float(sum(each.new > 0 for each in acknowledged)),
        measures.WAITED.name: float(sum(each.pair.waited for each in seen)),
        measures.MISSED.name: float(missed),
    }

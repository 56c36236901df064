"""Which ended logins come back: after a fault, by a race, or because their logout failed half-way."""

from typing import Annotated, Literal

from pydantic import Field

from authbench.experiments.plan import Plan

# What happens after the logouts. Commits are the database's: the stack does not wait for them to be written unless
# it is told to ("kept": synchronous_commit = on).
Event = Literal["none", "cache flush", "cache restart", "database crash", "database crash, commits kept"]
Slow = Literal["preferences", "refresh", "whoami", "logout"]
EVENTS: tuple[Event, ...] = (
    "none",
    "cache flush",
    "cache restart",
    "database crash",
    "database crash, commits kept",
)
CRASHES: tuple[Event, ...] = ("database crash", "database crash, commits kept")
REPLICAS = 2  # of each strategy; one of them is held up where a race is made

START_S, START_PER_REPLICA_S = 3.0, 0.5
LOGIN_S, EVENT_S, CRASH_S, HELD_S = 0.012, 0.3, 2.5, 1.2
USUAL_STEPS = 6  # exchanges with the stores in one request
ATTEMPT_S = 0.13  # of one step


class RevivalPlan(Plan):
    """What is done to logins of each strategy. An empty tuple leaves that part out."""

    kind: Literal["revival"]
    event: tuple[Event, ...] = EVENTS
    # The request that a logout overtakes; `whoami` where reading fills a cache; `logout`: a refresh overtakes that.
    race: tuple[Slow, ...] = ("preferences", "refresh", "whoami", "logout")
    twice: bool = True  # the same credential in two requests at once: refreshes, and one-time tokens
    half: bool = True  # a store goes away in the middle of a logout
    users: Annotated[int, Field(ge=2, le=1000)] = 40  # who log out before an event; as many others stay logged in
    times: Annotated[int, Field(ge=1, le=100)] = 2  # each interleaving, with another login

    def estimated_seconds(self, strategies: int, launches: int) -> float:
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        crashes = sum(event in CRASHES for event in self.event)
        events = len(self.event) * (EVENT_S + self.users * 3 * LOGIN_S) + crashes * CRASH_S
        kinds = len(self.race) * 0.8 + self.twice * 0.8 + self.half  # not every strategy can do all
        races = HELD_S * (kinds > 0) + kinds * USUAL_STEPS * self.times * ATTEMPT_S
        start = START_S + 2 * START_PER_REPLICA_S * REPLICAS * strategies
        return launches * (start + strategies * (events + races))

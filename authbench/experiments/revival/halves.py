"""A store goes away in the middle of a logout: in front of each of its operations in turn."""

from collections import Counter
from functools import partial

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError
from authbench.experiments.revival import measures
from authbench.experiments.revival.clients import Clients, outcome_of
from authbench.experiments.revival.events import TOLD
from authbench.experiments.revival.held import HELD, Held, Step
from authbench.experiments.revival.logins import Logins
from authbench.experiments.revival.races import TRIES, Values
from authbench.faults.fault import Fault
from authbench.faults.injector import Injector

WARMED_WITHIN = 20  # logouts of others


class Halves:
    """Logouts of one strategy at its held replica."""

    def __init__(self, stack: EmbeddedStack, clients: Clients, logins: Logins, held: Held, times: int) -> None:
        self._stack = stack
        self._clients = clients
        self._logins = logins
        self._held = held
        self._times = times

    def steps(self) -> tuple[Step, ...]:
        """What a logout does, once everything is connected; none where it is not answered 200."""
        try:
            self._warm()
        except StackError:
            return ()
        (login,) = self._logins.take(1)
        self._clients.warm(login)
        _, steps = self._held.steps(partial(self._clients.call, login.credential, "logout", HELD))
        return steps

    def broken_off(self, step: Step) -> Values:
        """The step's store is unreachable from right before the step until the client has its answer."""
        told: Counter[str] = Counter()
        back = alive = forgotten = missed = 0
        while told.total() < self._times and missed <= TRIES * self._times:
            self._warm()
            (login,) = self._logins.take(1)
            self._clients.warm(login)
            gone = Fault(part=step.store, action="down", at_s=0)
            with Injector(self._stack, self._clients.strategy.name) as injector:
                done = self._held.overtake(
                    step,
                    partial(self._clients.call, login.credential, "logout", HELD),
                    partial(injector.begin, gone),
                    frees=True,
                )
            if not done.certain:
                missed += 1
                continue
            answer, left = done.answer
            outcome = outcome_of(answer)
            told[outcome] += 1
            if self._clients.is_accepted(login):
                back += outcome == "ok"
                alive += outcome != "ok"
                forgotten += not left.attach()
        return {
            measures.LOGOUTS.name: float(told.total()),
            **{measure.name: float(told[outcome]) for outcome, measure in TOLD.items()},
            measures.REVIVED.name: float(back),
            measures.ALIVE.name: float(alive),
            measures.FORGOTTEN.name: float(forgotten),
            measures.MISSED.name: float(missed),
        }

    def _warm(self) -> None:
        """Others log out there until one's answer is 200: connections that a fault has broken are made anew."""
        for _ in range(WARMED_WITHIN):
            (login,) = self._logins.take(1)
            if outcome_of(self._clients.call(login.credential, "logout", HELD)[0]) == "ok":
                return
        raise StackError(f"{self._clients.strategy.name}: no logout succeeds at its first replica")

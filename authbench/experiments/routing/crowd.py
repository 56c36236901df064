"""Clients who log in through the balancer and go on asking, and what became of their logins."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from apps.contract.endpoints import whoami_body
from apps.contract.registry import Strategy
from authbench.conformance.visitor import Answer
from authbench.experiments.routing.clients import Client
from authbench.experiments.routing.logins import Logins
from authbench.experiments.routing.measures import BUSIEST, LOGGED_OUT, MOVED, REFUSED, USERS
from authbench.records import Reason


class Crowd:
    """Clients of one strategy. Each asks again only when its last answer has come; between them, chance decides."""

    def __init__(self, strategy: Strategy, port: int, addresses: Sequence[str], in_flight: int, draw: Random) -> None:
        """`in_flight`: how many ask at once; 1: one after the other, in an order that `draw` alone decides."""
        self._clients = [Client(strategy, address) for address in addresses]
        self._answers: list[list[Answer]] = [[] for _ in addresses]
        self._port = port
        self._in_flight = in_flight
        self._draw = draw
        self._reasons: list[Reason] = []

    def log_in(self, logins: Logins) -> None:
        """Each meets a replica, and logs in there."""
        for at, (client, answer) in self._ask("public"):
            if answer.status != 200:
                self._reasons.append(Reason(code="errors", message=f"a first visit was answered {answer.status}"))
                continue
            self._clients[at] = client.logged_in(logins.at(answer.replica), answer.replica)

    def send(self, requests: int) -> None:
        """Each asks that often who it is, in rounds, every round in another order."""
        for _ in range(requests):
            for at, (client, answer) in self._ask("whoami"):
                self._clients[at] = client
                self._answers[at].append(answer)

    def values(self) -> dict[str, float | None]:
        """What is counted, by name of the measure; empty where nothing was asked."""
        answers = [answer for own in self._answers for answer in own]
        if not answers:
            return {}
        met = Counter(answer.replica for answer in answers)
        users = len(self._clients)
        return {
            LOGGED_OUT.name: len(self.logged_out()) / users,
            REFUSED.name: sum(answer.status == 401 for answer in answers) / len(answers),
            MOVED.name: len(self.moved()) / users,
            BUSIEST.name: max(met.values()) / len(answers),
            USERS.name: float(users),
        }

    def moved(self) -> set[int]:
        """Places of the clients who were answered by a replica other than the one that logged them in."""
        return {
            at
            for at, (client, answers) in enumerate(zip(self._clients, self._answers, strict=True))
            if any(answer.replica != client.home for answer in answers)
        }

    def logged_out(self) -> set[int]:
        """Places of the clients who were refused once."""
        return {at for at, answers in enumerate(self._answers) if any(answer.status == 401 for answer in answers)}

    def homes(self) -> dict[str, set[int]]:
        """Replica -> places of the clients who logged in there."""
        found: dict[str, set[int]] = {}
        for at, client in enumerate(self._clients):
            found.setdefault(client.home, set()).add(at)
        return found

    def reasons(self) -> tuple[Reason, ...]:
        """Why it does not count: answers that are neither the client's own nor a refusal. Each kind once."""
        found = list(self._reasons)
        for client, answers in zip(self._clients, self._answers, strict=True):
            for answer in answers:
                if answer.status not in (200, 401):
                    found.append(Reason(code="errors", message=f"a request was answered {answer.status}"))
                elif answer.status == 200 and client.caller and answer.body != whoami_body(client.caller):
                    found.append(Reason(code="wrong-user", message="an answer names another user"))
        return tuple(dict.fromkeys(found))

    def _ask(self, endpoint: str) -> list[tuple[int, tuple[Client, Answer]]]:
        order = self._draw.sample(range(len(self._clients)), k=len(self._clients))
        with ThreadPoolExecutor(self._in_flight) as pool:
            return list(
                zip(order, pool.map(lambda at: self._clients[at].call(self._port, endpoint), order), strict=True)
            )

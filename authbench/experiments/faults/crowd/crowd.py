"""The users of one strategy, who ask whenever the plan says, whether others are still waiting or not."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from apps.contract.endpoints import ENDPOINTS, to_json
from authbench.conformance.outcome import Judged, judge
from authbench.conformance.visitor import Answer
from authbench.experiments.faults.crowd.client import Client
from authbench.experiments.faults.crowd.exchange import exchange
from authbench.experiments.faults.crowd.outcome import Ended

LAST_LOOK_WITHIN_S = 10.0  # for all users, after the load: a part that came back may be slow at first
AGAIN_S = 0.2
PAUSE_S = 0.002  # where everybody waits


@dataclass(frozen=True, slots=True)
class Manner:
    """How all of a crowd ask."""

    port: int  # of the strategy's origin
    timeout_s: float
    relogin: str | None  # the users' password, where whoever is told that she is logged out logs in again; else None
    mark: str  # begins every X-Request-ID, and every item ordered: no two crowds of a run share it

    @property
    def page(self) -> str:
        """TLS ends at the load balancer in production, and replicas are told so: a browser names this origin."""
        return f"https://127.0.0.1:{self.port}"


def port_of(url: str) -> int:
    """Of an origin that names one."""
    port = urlsplit(url).port
    assert port is not None
    return port


class Crowd:
    """`ended` fills as requests end; nobody asks twice at a time, so that no answer of hers is out of date."""

    def __init__(self, clients: Sequence[Client], manner: Manner, draw: Random) -> None:
        self.clients = list(clients)
        self.ended: list[Ended] = []
        self._manner = manner
        self._draw = draw
        self._idle = list(range(len(clients)))
        self._number = 0
        self._open: set[asyncio.Task[None]] = set()

    async def warm_up(self, each: int, at_once: int) -> None:
        """So many ask who they are, a few at a time; nothing of it is kept but what it makes of them."""
        for first in range(0, each, at_once):
            places = [place % len(self.clients) for place in range(first, first + at_once)]
            await asyncio.gather(*(self._ask(place, "whoami") for place in dict.fromkeys(places)))

    async def fire(self, began: float, due: Iterator[tuple[float, str]], until: Callable[[], float]) -> None:
        """Sends what is due until `until()`, seconds after `began` (time.monotonic); returns when all have ended."""
        for due_s, endpoint in due:
            while (wait_s := min(due_s, until()) - (time.monotonic() - began)) > 0:
                await asyncio.sleep(min(wait_s, 0.05))
            while not self._idle and due_s < until():
                await asyncio.sleep(PAUSE_S)
            if due_s >= until():
                break
            place = self._idle.pop(self._draw.randrange(len(self._idle)))
            task = asyncio.create_task(self._one(place, endpoint, began, due_s))
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        await asyncio.gather(*self._open)

    async def last_look(self, at_once: int) -> list[int]:
        """Each user's answer to whoami, by place: 200 (her own), 401, or what stands in for a part that stays away."""
        waiting, found = set(range(len(self.clients))), [0] * len(self.clients)
        deadline = time.monotonic() + LAST_LOOK_WITHIN_S
        while waiting and time.monotonic() < deadline:
            for batch in _batches(sorted(waiting), at_once):
                judged = await asyncio.gather(*(self._ask(place, "whoami") for place in batch))
                for place, each in zip(batch, judged, strict=True):
                    found[place] = {"ok": 200, "refused": 401}.get(each.outcome, 0)
                    if found[place]:
                        waiting.discard(place)
            if waiting:
                await asyncio.sleep(AGAIN_S)
        return found

    async def still_known(self, places: Sequence[int]) -> list[int]:
        """Of these users, those whose first login the server still takes: only their clients have lost it."""
        known = []
        for place in places:
            now = self.clients[place]
            self.clients[place] = now.with_first_login()
            if (await self._ask(place, "whoami")).outcome == "ok":
                known.append(place)
            self.clients[place] = now
        return known

    async def without_what_they_kept(self, places: Sequence[int]) -> list[int]:
        """Of these users, those who are not shown the preference that they know to be kept."""
        missing = []
        for place in places:
            client, whoami = self.clients[place], ENDPOINTS["whoami"]
            headers = client.headers("whoami", "", self._manner.page)[:-1]
            answer = await exchange(
                self._manner.port, "GET", f"{whoami.path}?preferences=1", headers, b"", self._manner.timeout_s
            )
            if isinstance(answer, Answer):
                self.clients[place] = client.after("whoami", answer, Judged("ok", ""))
                if to_json({"seen": client.kept}) not in answer.body:
                    missing.append(place)
        return missing

    async def _one(self, place: int, endpoint: str, began: float, due_s: float) -> None:
        client, password = self.clients[place], self._manner.relogin
        if client.told_out and password is not None:
            endpoint = "login"
        self._number += 1
        identity = f"{self._manner.mark}x{self._number}"
        sent_s = time.monotonic() - began
        judged, status = await self._exchange(place, endpoint, identity, password or "")
        ended_s = time.monotonic() - began
        self.ended.append(Ended(identity, place, endpoint, due_s, sent_s, ended_s, judged, status))
        self._idle.append(place)

    async def _ask(self, place: int, endpoint: str) -> Judged:
        """Without an id: it stands in no account."""
        return (await self._exchange(place, endpoint, "", ""))[0]

    async def _exchange(self, place: int, name: str, identity: str, password: str) -> tuple[Judged, int]:
        client, manner, endpoint = self.clients[place].asking(name), self._manner, ENDPOINTS[name]
        self.clients[place] = client
        headers = [each for each in client.headers(name, identity, manner.page) if each[1]]
        body = client.body(name, identity, password)
        answer = await exchange(manner.port, endpoint.method, endpoint.path, headers, body, manner.timeout_s)
        judged = judge(name, client.caller, answer, identity)
        if not isinstance(answer, Answer):
            return judged, 0
        self.clients[place] = self.clients[place].after(name, answer, judged, identity)
        return judged, answer.status


def _batches(places: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for first in range(0, len(places), size):
        yield places[first : first + size]

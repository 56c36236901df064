"""Stores of every size: how much they take, what a request costs on them, and what cleaning does to both."""

import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.contract.registry import Strategy
from authbench.experiments.ground import Ground
from authbench.experiments.growth.measures import KIND, LATENCY, Stage
from authbench.experiments.growth.plan import Cleaning, GrowthPlan
from authbench.experiments.growth.requests import endpoint_of, write_refreshes, write_whoami
from authbench.experiments.growth.store import Cleaned, Store, Table
from authbench.experiments.growth.windows import Window, Windows
from authbench.histogram import decode
from authbench.observed import Observation
from authbench.records import Level, Reason

ATTEMPTS = 2  # of a window that the machine has disturbed
FEWEST_REFRESHES = 100  # of a window: fewer say nothing
CLEANING_BEGINS = 0.1  # of the window


@dataclass(frozen=True, slots=True)
class Filling:
    """One size of one strategy's store."""

    strategy: Strategy
    rows: int
    expired: float

    @property
    def ended(self) -> int:
        """Logins that have ended and are still there."""
        return round(self.rows * self.expired)

    @property
    def live(self) -> int:
        """The others."""
        return self.rows - self.ended

    def levels(self, **more: Level) -> dict[str, Level]:
        """Factor -> level."""
        return {"strategy": self.strategy.name, "rows": self.rows, "expired": self.expired, **more}


@dataclass(frozen=True, slots=True)
class Sent:
    """The requests of a filling. `each`: how many a window may send, since they are good once; None: any number."""

    path: Path
    endpoint: str
    users: int
    each: int | None
    first: int = 0  # not yet sent; where requests are good once


class Tables:
    """All fillings of one launch."""

    def __init__(self, ground: Ground, plan: GrowthPlan, windows: Windows, launch: int) -> None:
        self._ground, self._plan, self._windows, self._launch = ground, plan, windows, launch
        fillings = (
            Filling(strategy, rows, expired)
            for rows in plan.rows
            for expired in plan.expired
            for strategy in ground.strategies
        )
        self._open = [each for each in fillings if not self._is_done(each)]

    @property
    def done(self) -> bool:
        """Whether all was observed already."""
        return not self._open

    def measure(self, order: random.Random) -> None:
        """Each filling once, in an order of its own. Autovacuum rests: what it would do is done on purpose."""
        if self.done:
            return
        with self._autovacuum_resting():
            for filling in order.sample(self._open, k=len(self._open)):
                told = f"{filling.strategy.name}, {filling.rows:,} logins, {100 * filling.expired:.0f} % ended"
                self._ground.watcher.phase(f"launch {self._launch + 1}: {told}")
                with Store(self._ground.stack, filling.strategy.name) as store:
                    self._fill_and_load(filling, store)
                    store.forget()

    @contextmanager
    def _autovacuum_resting(self) -> Iterator[None]:
        with self._ground.stack.postgres.connect() as administrator:
            administrator.execute("ALTER SYSTEM SET autovacuum = off")
            administrator.execute("SELECT pg_reload_conf()")
            try:
                yield
            finally:
                administrator.execute("ALTER SYSTEM RESET autovacuum")
                administrator.execute("SELECT pg_reload_conf()")

    def _fill_and_load(self, filling: Filling, store: Store) -> None:
        made = store.grow(filling.live, filling.ended, min(filling.live, self._plan.sessions))
        self._stored(filling, "grown", store.measured(), store.memory())
        sent = self._requests(filling, made)
        if sent.each is not None and sent.each < FEWEST_REFRESHES:
            # Too few for windows in which each is renewed once: sizes only.
            self._loaded(filling, "none", {"users": sent.users}, ())
        else:
            sent = self._load(filling, sent)
        if "running" in self._plan.cleaning and filling.ended and store.table is not None:
            cleaned = self._load_while_cleaning(filling, sent, store)
            # Refreshes leave dead rows of their own, so that there may be more than were removed.
            self._stored(filling, "deleted", store.measured(cleaned.removed), {}, cleaned)
            seconds = store.vacuum()
            self._stored(filling, "vacuumed", store.measured(), {"seconds": seconds})
            seconds = store.vacuum(full=True)
            self._stored(filling, "rewritten", store.measured(), {"seconds": seconds})

    def _requests(self, filling: Filling, made: Sequence[Mapping[str, Any]]) -> Sent:
        stack, strategy = self._ground.stack, filling.strategy
        endpoint = endpoint_of(strategy, made[0])
        path = stack.folder / f"growth-{strategy.name}.jsonl"
        write = write_refreshes if endpoint == "refresh" else write_whoami
        write(path, made, strategy, stack.url(strategy.name), self._ground.seed)
        each = None
        if endpoint == "refresh":
            warming = self._windows.warm_up_requests(strategy.name, endpoint)
            each = (len(made) - warming) // (1 + len(self._plan.cleaning))
        return Sent(path, endpoint, len(made), each)

    def _load(self, filling: Filling, sent: Sent) -> Sent:
        """Warm-up, closed model, open model; where the next window goes on."""
        windows, plan, strategy = self._windows, self._plan, filling.strategy
        name = strategy.name
        attempts = ATTEMPTS if sent.each is None else 1
        warmed = windows.warm_up(name, sent.endpoint, sent.path)
        first = 0 if sent.each is None else warmed
        closed = windows.fire(
            strategy, windows.closed(name, sent.path, duration_s=plan.closed_s, count=sent.each, first=first), attempts
        )
        first += sent.each or 0
        opened = self._open_window(filling, sent, first, attempts)
        values = {
            "cpu_ms": closed.cpu_ms(),
            "db_ms": closed.cpu_ms("db"),
            "blocks": closed.each(closed.counts.blocks),
            "outside": closed.each(closed.counts.outside),
            "statements": closed.each(closed.counts.statements),
            "users": sent.users,
            **_at_rate(opened),
        }
        self._loaded(filling, "none", values, (*closed.reasons, *opened.reasons), opened)
        return Sent(sent.path, sent.endpoint, sent.users, sent.each, first + (sent.each or 0))

    def _load_while_cleaning(self, filling: Filling, sent: Sent, store: Store) -> Cleaned:
        """The open model's window, in which the cleaning begins; only the cleaning where there are too few logins."""
        few = sent.each is not None and sent.each < FEWEST_REFRESHES
        with store.cleaning() as cleaning:
            opened = None
            if not few:
                beginning = threading.Timer(CLEANING_BEGINS * self._plan.open_s, cleaning.begin)
                beginning.start()
                opened = self._open_window(filling, sent, sent.first, 1)
                beginning.join()
        if opened is not None:
            share = min(cleaning.said.seconds / opened.load.window_s, 1 - CLEANING_BEGINS)
            values = {**_at_rate(opened), "users": sent.users, "cleaned_share": share}
            # Cleaning begins within the window and may end there: its halves differ on purpose.
            reasons = (each for each in opened.reasons if each.code != "unsteady")
            self._loaded(filling, "running", values, tuple(reasons), opened)
        return cleaning.said

    def _open_window(self, filling: Filling, sent: Sent, first: int, attempts: int) -> Window:
        plan, name = self._plan, filling.strategy.name
        fire = self._windows.open(
            name,
            sent.path,
            rate_rps=plan.rate_rps,
            duration_s=plan.open_s,
            seed=self._ground.seed + self._launch,
            count=sent.each,
            first=first,
        )
        return self._windows.fire(filling.strategy, fire, attempts)

    def _stored(
        self,
        filling: Filling,
        stage: Stage,
        table: Table | None,
        more: Mapping[str, float | None],
        cleaned: Cleaned | None = None,
    ) -> None:
        values = {**(table.values() if table else {}), **more}
        if cleaned is not None:
            values |= {"seconds": cleaned.seconds, "statements": cleaned.statements, "removed": cleaned.removed}
        self._record(filling.levels(stage=stage), values)

    def _loaded(
        self,
        filling: Filling,
        cleaning: Cleaning,
        values: Mapping[str, float | None],
        reasons: tuple[Reason, ...],
        opened: Window | None = None,
    ) -> None:
        latency = {} if opened is None else {LATENCY: opened.load.latency_hist}
        self._record(filling.levels(cleaning=cleaning), values, reasons, latency)

    def _record(
        self,
        levels: Mapping[str, Level],
        values: Mapping[str, float | None],
        reasons: tuple[Reason, ...] = (),
        histograms: Mapping[str, str] | None = None,
    ) -> None:
        self._ground.record(
            Observation(
                kind=KIND,
                launch=self._launch,
                levels=levels,
                values=values,
                reasons=reasons,
                histograms=histograms or {},
            )
        )

    def _is_done(self, filling: Filling) -> bool:
        return self._ground.is_done(KIND, self._launch, filling.levels(cleaning="none")) and self._ground.is_done(
            KIND, self._launch, filling.levels(stage="grown")
        )


def _at_rate(window: Window) -> dict[str, float | None]:
    latency = decode(window.load.latency_hist).quantile_us(0.5)
    return {
        "rate_cpu_ms": window.cpu_ms(),
        "rate_db_ms": window.cpu_ms("db"),
        "p50_ms": None if latency is None else latency / 1000,
    }

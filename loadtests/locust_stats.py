"""Locust's own statistics, fed in batches: its web UI and tables stay alive without any cost a request.

Locust's counters get what its `log` and `log_error` would have written, response times in milliseconds. Only they are
rounded to Locust's buckets; our own histograms never pass through here.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from locust.stats import RequestStats, StatsEntry, StatsError, bucket_response_time

from loadtests.outcome import OK
from loadtests.prepared import Request
from loadtests.tally import Columns, Tally, Times


class Feed:
    """Carries one tally over into Locust's statistics, from where it last stopped."""

    def __init__(self, stats: RequestStats, requests: Sequence[Request], tally: Tally) -> None:
        self._stats = stats
        self._tally = tally
        names = sorted({(request.name, request.method) for request in requests})
        self._names = names
        self._name_of = np.array([names.index((request.name, request.method)) for request in requests])
        self._fed = 0
        self._kinds_fed: dict[tuple[int, str], int] = {}

    def feed(self, forget: bool = False) -> None:
        """Adds what has happened since the last call; `forget` drops it from the tally afterwards."""
        columns = self._tally.columns(self._fed)
        self._fed += columns.end.size
        if columns.end.size:
            self._feed_columns(columns)
        self._feed_kinds()
        if forget:
            self._tally.forget()
            self._fed = 0

    def _feed_columns(self, columns: Columns) -> None:
        name_of = self._name_of[columns.number]
        latency_ms = (columns.end - columns.start) / 1e6
        # Locust counts by the second of the wall clock.
        second = (columns.end // 1_000_000_000 + round(time.time() - time.monotonic())).astype(np.int64)
        failed = columns.outcome != OK
        for at, (name, method) in enumerate(self._names):
            mine = name_of == at
            if mine.any():
                for entry in (self._stats.entries[(name, method)], self._stats.total):
                    _extend(entry, latency_ms[mine], second[mine], failed[mine])

    def _feed_kinds(self) -> None:
        for (number, kind), count in list(self._tally.by_name_kind.items()):
            new = count - self._kinds_fed.get((number, kind), 0)
            if new:
                self._kinds_fed[number, kind] = count
                name, method = self._names[self._name_of[number]]
                key = StatsError.create_key(method, name, kind)
                error = self._stats.errors.setdefault(key, StatsError(method, name, kind))
                error.occurrences += new


def _extend(entry: StatsEntry, latency_ms: Any, second: Times, failed: Any) -> None:
    counters: Any = entry
    last = int(second.max())
    if entry.use_response_times_cache and entry.last_request_timestamp and last > int(entry.last_request_timestamp):
        counters._cache_response_times(last - 1)
    entry.num_requests += latency_ms.size
    entry.num_failures += int(failed.sum())
    counters.total_response_time += float(latency_ms.sum())
    smallest = float(latency_ms.min())
    counters.min_response_time = smallest if entry.min_response_time is None else min(smallest, entry.min_response_time)
    counters.max_response_time = max(entry.max_response_time, float(latency_ms.max()))
    entry.last_request_timestamp = time.time()
    for column, counter in ((second, entry.num_reqs_per_sec), (second[failed], entry.num_fail_per_sec)):
        for value, count in zip(*(part.tolist() for part in np.unique(column, return_counts=True)), strict=True):
            counter[value] += count
    rounded, counts = np.unique(np.rint(latency_ms), return_counts=True)
    for value, count in zip(rounded.tolist(), counts.tolist(), strict=True):
        entry.response_times[bucket_response_time(value)] += count

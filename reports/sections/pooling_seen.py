"""What was seen of each way to serve and to pool, from the records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from authbench.analysis.connections import Sizes, Way, readable, way_of
from authbench.analysis.counted import counted, observe
from authbench.analysis.estimate import Estimate, mean
from authbench.metric import METRICS
from authbench.records import Manifest, Trial


@dataclass(frozen=True, slots=True)
class Seen:
    """One way to serve and to pool, and its windows by strategy."""

    way: Way
    windows: Mapping[str, Sequence[Trial]]  # saturated ones whose counts may be read
    counting: Mapping[str, Sequence[Trial]]  # all that may be ranked, rates too

    def peaks(self) -> dict[str, int]:
        """Strategy -> most connections over all launches."""
        read = METRICS["connections_peak"].of
        found = {
            name: [value for trial in trials if (value := read(trial)) is not None]
            for name, trials in self.windows.items()
        }
        return {name: int(max(values)) for name, values in found.items() if values}

    def worst(self) -> tuple[str, int]:
        """The strategy that held most, and how many; at least one window is needed."""
        peaks = self.peaks()
        return max(peaks.items(), key=lambda each: each[1]) if peaks else ("", 0)

    def opened_a_request(self) -> float | None:
        """Connections opened for each request, of the strategy that opened most; None where none was read."""
        rates = [
            fmean(t.database.connections_opened / t.load.sent for t in trials if t.database and t.load.sent)
            for trials in self.windows.values()
            if any(t.database and t.load.sent for t in trials)
        ]
        return max(rates, default=None)

    def estimates(self, metric: str, unit: str) -> dict[str, Estimate]:
        """Strategy -> mean over launches, of windows that count."""
        found = {name: mean(observe(trials, metric), unit) for name, trials in self.counting.items()}
        return {name: estimate for name, estimate in found.items() if estimate is not None}


def sizes_of(manifest: Manifest) -> Sizes:
    """As the manifest's settings tell."""
    replica = manifest.settings["replica"]
    threads = int(replica["threads"])
    proxied = manifest.settings.get("pgbouncer", {}).get("default_pool_size", "0")
    return Sizes(int(replica["workers"]), threads, threads, int(proxied))


def own_limit(manifest: Manifest) -> int | None:
    """What this stack's PostgreSQL lets in; None where the manifest does not say."""
    told = manifest.settings.get("postgresql", {}).get("max_connections")
    return None if told is None else int(told)


def ways_seen(trials: Sequence[Trial], factors: Mapping[str, Sequence[object]]) -> list[Seen]:
    """In the file's order: by serving, then pooling, then the rest."""
    windows: dict[Way, dict[str, list[Trial]]] = {}
    for trial in readable(trials):
        if trial.load.model == "saturate":
            windows.setdefault(way_of(trial), {}).setdefault(trial.strategy, []).append(trial)
    ranked = counted(trials)

    def place(way: Way) -> tuple[int, int, int, int]:
        serving, pooling = list(factors.get("serving", ())), list(factors.get("pooling", ()))
        return (
            serving.index(way.serving) if way.serving in serving else -1,
            pooling.index(way.pooling) if way.pooling in pooling else -1,
            way.replicas,
            way.in_flight,
        )

    return [Seen(way, windows[way], _by_strategy(ranked, way)) for way in sorted(windows, key=place)]


def _by_strategy(trials: Sequence[Trial], way: Way) -> dict[str, list[Trial]]:
    """That way's windows; the open model has as many requests in flight as its rate makes, whatever the way says."""
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        its = way_of(trial)
        if its == way or (trial.load.model == "rate" and replace(its, in_flight=way.in_flight) == way):
            found.setdefault(trial.strategy, []).append(trial)
    return found


def named(way: Way, seen: Sequence[Seen]) -> str:
    """`asgi · persistent`, with what else differs between ways."""
    more = [f"{way.replicas} repl."] if len({each.way.replicas for each in seen}) > 1 else []
    more += [f"c {way.in_flight}"] if len({each.way.in_flight for each in seen}) > 1 else []
    return " · ".join((way.serving, way.pooling, *more))

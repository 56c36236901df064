"""Login storms: what a login by password costs, and what many at once do to users who are logged in already."""

from collections.abc import Iterable, Mapping, Sequence

from authbench.analysis.findings import Quantile, Sentence
from authbench.analysis.wording import certainty_of
from reports.charts.canvas import Chart, caption, styled
from reports.charts.logins import cost_chart, storm_chart
from reports.numbers import DASH, count, ms, percent
from reports.sections.growth_found import Seen, seen, told, why_not
from reports.sections.section import Found, Section, Table

NOTES = (
    "Logins go round the seeded users, whose passwords Django's default hasher has hashed, in the closed model: the "
    "next begins when one has been answered. Nothing limits the rate; a shop that limits it has no such storm.",
    "whoami goes on meanwhile in the open model, at one planned rate for all, as users whose logins were made before; "
    "latency counts from the instant a request was due.",
    "Replicas serve with threads. The hash releases Python's lock, so that it takes CPU and a thread, never the lock.",
    "The stack has the cores that the generator leaves it: on a machine of two, one. With more cores a storm of that "
    "size does less; with logins for every thread, whoami waits for a thread on any machine.",
)

_NOTHING = Seen({}, {}, {}, {}, 0, {})


def section(found: Found) -> Section | None:
    """None where the records hold no logins."""
    costs, storms = seen(found.observations, "endpoint"), seen(found.observations, "in_flight")
    if not costs:
        return None
    places = {each.name: each.location for each in found.manifest.contenders}
    foot = caption(found.manifest)
    with styled():
        charts: list[Chart | None] = [cost_chart(costs, foot), storm_chart(storms, places, foot)]
    why = why_not([*costs, *storms])
    return Section(
        name="logins",
        title="Logins by password, and storms of them",
        sentences=tuple(_sentences(costs, storms, _threads(found))),
        tables=tuple(_tables(costs, storms)),
        charts=tuple(chart for chart in charts if chart is not None),
        notes=(*NOTES, *([f"Windows that do not count: {why}."] if why else [])),
    )


def _threads(found: Found) -> int | None:
    """Requests that one strategy's replicas serve at a time; None where the manifest does not say."""
    settings = found.manifest.settings.get("replica", {})
    replicas = found.manifest.question.factors.get("replicas", ())
    try:
        return int(replicas[0]) * int(settings["workers"]) * int(settings["threads"])
    except (KeyError, IndexError, ValueError):
        return None


def _sentences(costs: Sequence[Seen], storms: Sequence[Seen], threads: int | None) -> Iterable[Sentence]:
    by = _by_endpoint(costs)
    for strategy, at in by.items():
        login, whoami = at.get("login"), at.get("whoami")
        if login is None:
            continue
        counts = (
            f"{strategy}: a login asks {count(login.value('statements'))} statements and "
            f"{count(login.value('commands'))} cache commands and writes {count(login.value('written'))} rows"
        )
        if "cpu_ms" not in login.values:
            yield Sentence(text=f"{counts}; what it costs cannot be said: {why_not([login])}.", certainty="open")
            continue
        text = f"{counts}; it costs {told(login.values['cpu_ms'])} ms of CPU"
        if whoami is not None and (each := whoami.value("cpu_ms")):
            text += f", as much as {count(round(login.values['cpu_ms'].value / each))} of its whoami requests"
        yield Sentence(text=text + ".", certainty=certainty_of(login.launches))
    hashed = [at["login"] for at in by.values() if {"hash_ms", "cpu_ms"} <= at.get("login", _NOTHING).values.keys()]
    if hashed:
        shares = [each.values["hash_ms"].value / each.values["cpu_ms"].value for each in hashed]
        text = (
            f"One hash alone, PBKDF2 with {count(hashed[0].value('iterations'))} iterations, takes "
            f"{told(hashed[0].values['hash_ms'])} ms of CPU: "
            f"{percent(min(shares))} to {percent(max(shares))} of a login."
        )
        yield Sentence(text=text, certainty=certainty_of(min(each.launches for each in hashed)))
    yield from _stormed(storms, threads)


def _stormed(storms: Sequence[Seen], threads: int | None) -> Iterable[Sentence]:
    for strategy in dict.fromkeys(each.strategy for each in storms):
        own = sorted((each for each in storms if each.strategy == strategy), key=_in_flight)
        calm = next((each for each in own if _in_flight(each) == 0 and each.latency), None)
        stormy = [each for each in own if _in_flight(each) and each.latency]
        if calm is None or not stormy:
            text = f"{strategy}: what a storm does to others cannot be said: {why_not(own)}."
            yield Sentence(text=text, certainty="open")
            continue
        parts = [
            f"{_in_flight(each)} in flight: {_quantiles(each.latency)}, {told(each.values.get('per_second'))} logins/s"
            for each in stormy
        ]
        most = _in_flight(stormy[-1])
        more = f" {threads} requests are served at a time." if threads is not None and most >= threads else ""
        text = f"{strategy}: whoami takes {_quantiles(calm.latency)} without logins; with {'; '.join(parts)}.{more}"
        yield Sentence(text=text, certainty=certainty_of(min(each.launches for each in (calm, *stormy))))


def _quantiles(latency: Mapping[str, Quantile]) -> str:
    return ", ".join(f"{name} {_quantile(latency.get(name))} ms" for name in ("p50", "p99"))


def _quantile(found: Quantile | None) -> str:
    """In brackets where fewer than 50 samples lie beyond it."""
    if found is None:
        return DASH
    return ms(found.value.value) if found.supported else f"({ms(found.value.value)})"


def _tables(costs: Sequence[Seen], storms: Sequence[Seen]) -> Iterable[Table]:
    rows = []
    for strategy, at in _by_endpoint(costs).items():
        login, whoami = at.get("login"), at.get("whoami")
        if login is None:
            continue
        rows.append(
            (
                strategy,
                told(login.values.get("cpu_ms")),
                told(login.values.get("db_ms")),
                told(login.values.get("hash_ms")),
                told(whoami.values.get("cpu_ms")) if whoami else DASH,
                count(login.value("statements")),
                count(login.value("commands")),
                count(login.value("written")),
                told(login.values.get("per_second")),
                str(login.launches),
            )
        )
    head = (
        "strategy",
        "CPU ms",
        "database's",
        "hash alone",
        "whoami's",
        "SQL",
        "cache",
        "rows",
        "logins/s",
        "launches",
    )
    yield Table(
        "What a login costs",
        head,
        tuple(rows),
        "Whole stack, saturated with logins alone. ± 95 % interval over launches.",
    )
    if storms:
        yield Table(
            title="whoami while others log in",
            head=("strategy", "logins in flight", "p50 ms", "p90 ms", "p99 ms", "answered", "logins/s", "launches"),
            rows=tuple(
                (
                    each.strategy,
                    str(_in_flight(each)),
                    *(_quantile(each.latency.get(name)) for name in ("p50", "p90", "p99")),
                    percent(each.value("answered")),
                    told(each.values.get("per_second")),
                    str(each.launches) + (f" ({why_not([each])})" if each.reasons else ""),
                )
                for each in sorted(storms, key=lambda each: (each.strategy, _in_flight(each)))
            ),
            note="All launches' samples together. In parentheses: fewer than 50 samples lie beyond.",
        )


def _by_endpoint(costs: Sequence[Seen]) -> dict[str, dict[str, Seen]]:
    found: dict[str, dict[str, Seen]] = {}
    for each in sorted(costs, key=lambda each: each.strategy):
        found.setdefault(each.strategy, {})[str(each.levels["endpoint"])] = each
    return found


def _in_flight(each: Seen) -> int:
    return int(each.levels["in_flight"])

"""What more replicas give, and what they ask of the database: for scenarios whose replicas are varied."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from authbench.analysis.connections import DEFAULT_LIMIT, readable
from authbench.analysis.counted import counted
from authbench.analysis.estimate import Estimate
from authbench.analysis.findings import Sentence
from authbench.analysis.scaling import Usl, fit
from authbench.analysis.wording import certainty_of
from authbench.metric import METRICS
from authbench.records import Contender, Trial
from reports.charts.canvas import caption
from reports.charts.replicas import Curve, connections_chart, throughput_chart
from reports.numbers import MISSING, count, percent, whole
from reports.sections.section import Found, Section, Table

NO_LIMIT = "no limit"  # as the manifest's settings say it
IDLE_IN_TRANSACTION = "idle in transaction"

Values = Mapping[int, Sequence[float]]  # replicas -> a value a trial that counts


def section(found: Found) -> Section | None:
    """Connections at every number of replicas; throughput too where every replica had a CPU budget of its own."""
    levels = found.manifest.question.factors.get("replicas", ())
    if len(levels) < 3 or set(found.manifest.question.factors) - {"strategy", "workload", "load", "replicas"}:
        return None
    trials, countable = counted(found.trials), readable(found.trials)
    contenders = [each for each in found.manifest.contenders if any(t.strategy == each.name for t in countable)]
    if not contenders:
        return None
    settings = found.manifest.settings
    allowed = int(settings["replica"]["workers"]) * int(settings["replica"]["threads"])
    budget = settings["replica"].get("cpus", NO_LIMIT)
    held = {each.name: _values(countable, each, "connections_peak") for each in contenders}
    served = {each.name: _values(trials, each, "capacity_rps", "saturate") for each in contenders}
    fits = {name: fit(values) for name, values in served.items()} if budget != NO_LIMIT else {}
    foot = caption(found.manifest)
    charts = [connections_chart([_curve(each, held[each.name]) for each in contenders], allowed, foot)]
    tables = [_connections(contenders, held, countable, allowed)]
    if budget != NO_LIMIT:
        curves = [_curve(each, served[each.name], fits.get(each.name)) for each in contenders if served[each.name]]
        charts += [throughput_chart(curves, foot, f"{budget} of a core")] if curves else []
        tables.append(_throughput(contenders, served, fits))
    return Section(
        name="replicas",
        title="Replicas: what each adds, and what the database has to hold",
        sentences=_sentences(contenders, held, fits, found.manifest.question.launches),
        tables=tuple(tables),
        charts=tuple(charts),
        notes=_notes(budget, settings.get("postgresql", {}).get("max_connections", MISSING), allowed),
    )


def _values(trials: Sequence[Trial], contender: Contender, metric: str, load: str | None = None) -> Values:
    found: dict[int, list[float]] = {}
    for trial in trials:
        value = METRICS[metric].of(trial)
        if trial.strategy == contender.name and load in (None, trial.cell["load"]) and value is not None:
            found.setdefault(int(trial.cell["replicas"]), []).append(value)
    return dict(sorted(found.items()))


def _curve(contender: Contender, values: Values, fitted: Usl | None = None) -> Curve:
    return Curve(contender.name, contender.location, contender.freshness, values, fitted)


def _per_replica(values: Values) -> float:
    """Connections that the largest number of replicas held, for each of them."""
    most = max(values)
    return max(values[most]) / most


def _connections(
    contenders: Sequence[Contender], held: Mapping[str, Values], trials: Sequence[Trial], allowed: int
) -> Table:
    levels = sorted({n for values in held.values() for n in values})
    rows = []
    for each in contenders:
        values = held[each.name]
        last = [t for t in trials if t.strategy == each.name and t.cell["replicas"] == max(values)]
        bases = [t.database for t in last if t.database is not None]
        opened = [value for t in last if (value := METRICS["connections_opened_per_s"].of(t)) is not None]
        idle = [base.connections_by_state.get(IDLE_IN_TRANSACTION, 0.0) for base in bases]
        each_holds = _per_replica(values)
        rows.append(
            (
                each.name,
                *(count(max(values[n])) if n in values else MISSING for n in levels),
                count(each_holds),
                count(fmean(base.connections_mean for base in bases)) if bases else MISSING,
                count(fmean(idle)) if idle else MISSING,
                count(fmean(opened)) if opened else MISSING,
                whole(DEFAULT_LIMIT / each_holds) if each_holds else "never",
            )
        )
    head = (
        "strategy",
        *(f"{n} repl." for n in levels),
        "a replica",
        "mean",
        IDLE_IN_TRANSACTION,
        "opened/s",
        "limit at",
    )
    note = (
        f"Peaks; the last five columns are of {max(levels)} replicas. Workers and threads allow a replica {allowed}. "
        f"“limit at”: replicas at which PostgreSQL's default of {DEFAULT_LIMIT} connections is used up, were each to "
        "hold as many."
    )
    return Table("Database connections, peak", head, tuple(rows), note)


def _throughput(contenders: Sequence[Contender], served: Mapping[str, Values], fits: Mapping[str, Usl | None]) -> Table:
    levels = sorted({n for values in served.values() for n in values})
    rows = []
    for each in contenders:
        values, law = served[each.name], fits.get(each.name)
        told = [whole(fmean(values[n])) if n in values else MISSING for n in levels]
        if law is None:
            rows.append((each.name, *told, MISSING, MISSING, MISSING, MISSING))
            continue
        best = MISSING if law.best is None else whole(law.best)
        rows.append((each.name, *told, _term(law.contention), _term(law.coherency), percent(law.held_out_error), best))
    head = ("strategy", *(f"{n} repl." for n in levels), "contention σ", "coherency κ", "error at most", "best")
    note = (
        f"Means over launches. σ and κ of the Universal Scalability Law with their 95 % intervals; “error at most”: "
        f"what a fit without {max(levels)} replicas predicts for them, against what was measured; “best”: replicas "
        "beyond which the law sees less."
    )
    return Table("Right answers a second, saturated", head, tuple(rows), note)


def _term(value: Estimate) -> str:
    if value.low is None or value.high is None:
        return f"{value.value:.3f}"
    return f"{value.value:.3f} ({value.low:.3f}–{value.high:.3f})"


def _sentences(
    contenders: Sequence[Contender], held: Mapping[str, Values], fits: Mapping[str, Usl | None], launches: int
) -> tuple[Sentence, ...]:
    certainty = certainty_of(launches)
    with_some = [each for each in contenders if _per_replica(held[each.name])]
    without = [each.name for each in contenders if not _per_replica(held[each.name])]
    told = [f"{each.name} {count(_per_replica(held[each.name]))}" for each in with_some]
    text = f"Database connections that each replica holds at the peak: {', '.join(told) or 'none'}"
    if without:
        text += f"; {', '.join(without)} hold{'s' if len(without) == 1 else ''} none, at any number of replicas"
    found = [Sentence(text=text + ".", certainty=certainty)]
    known = {name: law for name, law in fits.items() if law is not None}
    if known:
        gains = [f"{name} {law.predicted_rps(law.held_out) / law.one_rps.value:.1f}" for name, law in known.items()]
        most = max(law.held_out for law in known.values())
        text = f"{most} replicas serve so many times what one serves (by the fitted law): {', '.join(gains)}."
        has_intervals = all(law.contention.low is not None for law in known.values())
        found.append(Sentence(text=text, certainty=certainty if has_intervals else "tentative"))
    return tuple(found)


def _notes(budget: str, limit: str, allowed: int) -> tuple[str, ...]:
    told = (
        "Nothing was limited here: without CPU budgets replicas share the same cores, so throughput is not shown and "
        "only connections may be compared."
        if budget == NO_LIMIT
        else f"Every replica may use {budget} of a core; balancer, database and cache share the stack's cores "
        "without a limit, so that throughput ends where those cores are full, whatever the law says."
    )
    return (
        told,
        f"This stack's PostgreSQL lets {limit} connections in, so that nothing was refused; its default is "
        f"{DEFAULT_LIMIT}.",
        f"A replica has {allowed} threads in all; each keeps the connection it opened (CONN_MAX_AGE 60).",
    )

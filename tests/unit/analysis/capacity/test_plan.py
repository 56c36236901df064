"""From windows to a plan: what was measured comes back, what was not tried is not extrapolated."""

from collections.abc import Callable, Sequence

import pytest

from authbench.analysis.capacity.crossing import crossings
from authbench.analysis.capacity.demand import busy_share, demands
from authbench.analysis.capacity.plan import make_plan
from authbench.analysis.capacity.prices import Prices
from authbench.analysis.capacity.sizing import Fleet, limits, size
from authbench.analysis.capacity.validation import CPU, held_out, split_loads
from authbench.errors import UsageError
from authbench.records import Manifest, Trial
from tests.unit.analysis.synthetic import TRUTHS, World, make

THREE = ("saturate", "rate@0.3", "rate@0.6")
TRUE = {truth.name: truth for truth in TRUTHS}


def world(
    loads: tuple[str, ...] = THREE, change: Callable[[Trial], Trial] = lambda t: t
) -> tuple[Manifest, list[Trial]]:
    manifest, trials, _ = make(World(loads=loads, workloads=("whoami", "orders")))
    return manifest, [change(trial) for trial in trials]


def waking(extra_ms: float) -> Callable[[Trial], Trial]:
    """A stack whose processes cost so much more where they are idle, at two rates of their own."""

    def change(trial: Trial) -> Trial:
        if trial.load.model == "saturate":
            return trial
        rate_rps = {"rate@0.3": 60.0, "rate@0.6": 150.0}[str(trial.cell["load"])]
        window_s = trial.load.ok / rate_rps
        load = trial.load.model_copy(update={"window_s": window_s, "offered_rps": rate_rps})
        total_s = sum(trial.cpu_s.get(tier, 0.0) for tier in ("lb", "app", "db", "cache"))
        busy = total_s / window_s
        busy = (busy + extra_ms / 1000 * rate_rps) / (1 + extra_ms / 1000 * rate_rps)  # U = λ(a + w(1 - U))
        more_s = extra_ms / 1000 * (1 - busy) * trial.load.ok
        return trial.model_copy(update={"load": load, "cpu_s": {**trial.cpu_s, "app": trial.cpu_s["app"] + more_s}})

    return change


def of(rows: Sequence[object], strategy: str, workload: str = "whoami") -> object:
    return next(row for row in rows if (row.strategy, row.workload) == (strategy, workload))  # type: ignore[attr-defined]


def test_demands_are_what_was_measured() -> None:
    manifest, trials = world()
    demand = of(demands(manifest, trials), "session-db")
    assert demand.total_ms() == pytest.approx(TRUE["session-db"].total_ms, rel=0.03)  # type: ignore[attr-defined]
    assert demand.tier_ms("db") == pytest.approx(0.37, rel=0.03)  # type: ignore[attr-defined]
    assert (demand.statements, demand.cache_commands) == (2, 0)  # type: ignore[attr-defined]


def test_a_store_that_nobody_asks_is_not_charged() -> None:
    manifest, trials = world()
    demand = next(d for d in demands(manifest, trials) if (d.strategy, d.workload) == ("jwt-hs256", "whoami"))
    assert demand.connections_per_replica == 0
    assert set(demand.tiers()) == {"lb", "app"}


def test_an_idle_stack_costs_more_a_request_and_the_fit_finds_by_how_much() -> None:
    manifest, trials = world(change=waking(1.5))
    fitted, left = split_loads(trials)
    assert (fitted, left) == (("saturate", "rate@0.3"), ("rate@0.6",))
    demand = next(d for d in demands(manifest, trials, fitted) if (d.strategy, d.workload) == ("none", "whoami"))
    assert demand.waking_ms["app"] == pytest.approx(1.5, rel=0.1)
    tried = [each for each in held_out(manifest, trials) if each.what == CPU]
    assert {each.load for each in tried} == {"rate@0.6"}
    assert max(abs(each.error) for each in tried) < 0.08
    at = next(t for t in trials if t.cell["load"] == "rate@0.6")
    assert 0 < busy_share(at, 1) < 1


def test_without_a_held_out_window_nothing_is_extrapolated() -> None:
    manifest, trials = world(("saturate", "rate@0.3"))
    plan = make_plan(manifest, trials)
    assert plan.held_out == ()
    assert {each.believed for each in plan.planned} == {False}
    assert all(not each.sizings and not each.limits and "held out" in each.why_not for each in plan.planned)
    assert plan.crossings == ()


def test_a_fit_that_foretells_badly_is_not_extrapolated() -> None:
    def odd(trial: Trial) -> Trial:
        worse = trial.cell["load"] == "rate@0.6" and trial.strategy == "session-db"
        return trial.model_copy(update={"cpu_s": {t: 2 * s for t, s in trial.cpu_s.items()}}) if worse else trial

    manifest, trials = world(change=odd)
    plan = make_plan(manifest, trials)
    assert {each.strategy for each in plan.planned if not each.believed} == {"session-db"}
    assert "too badly" in next(each.why_not for each in plan.planned if each.strategy == "session-db")


def test_replicas_and_connections_follow_the_laws() -> None:
    manifest, trials = world()
    demand = next(d for d in demands(manifest, trials) if (d.strategy, d.workload) == ("session-db", "whoami"))
    sized = size(demand, 30_000, Fleet(utilisation=0.5, replica_vcpus=2))
    app = 30_000 * demand.tier_ms("app", 0.5) / 1000 / 0.5
    assert sized.replicas == -(-app // 2)
    assert sized.connections == -(-sized.replicas * demand.connections_per_replica // 1)
    assert sized.connections_pooled < sized.connections
    assert sized.statements_per_s == pytest.approx(60_000)
    assert not sized.fits
    assert size(demand, 10, Fleet()).fits


def test_the_first_part_to_give_out_is_where_the_plan_stops_fitting() -> None:
    manifest, trials = world()
    fleet = Fleet()
    demand = next(d for d in demands(manifest, trials) if (d.strategy, d.workload) == ("session-db", "whoami"))
    first = limits(demand, fleet)[0]
    assert first.part == "database connections, without a pooler"
    assert size(demand, 0.99 * first.rps, fleet).fits
    assert not size(demand, 1.1 * first.rps, fleet).fits


def test_a_mix_weighs_its_workloads() -> None:
    manifest, trials = world()
    alone = {(d.strategy, d.workload): d for d in demands(manifest, trials)}
    plan = make_plan(manifest, trials, mix={"whoami": 3, "orders": 1})
    made = next(each for each in plan.planned if each.strategy == "jwt-row")
    parts = [alone["jwt-row", name].total_ms() for name in ("whoami", "orders")]
    assert made.demand.total_ms() == pytest.approx(0.75 * parts[0] + 0.25 * parts[1])
    assert made.believed
    with pytest.raises(UsageError, match="login was not measured; there are whoami, orders"):
        make_plan(manifest, trials, mix={"login": 1})


def test_no_saturated_windows_are_one_line() -> None:
    manifest, trials = world()
    with pytest.raises(UsageError, match="no saturated windows"):
        make_plan(manifest, [trial for trial in trials if trial.load.model == "rate"])


def test_what_is_dear_at_first_can_be_cheap_later() -> None:
    found = crossings(
        {"a fixed price": lambda rps: 1000.0, "a price a request": lambda rps: rps / 10, "both": lambda _: 1e9}
    )
    assert [(c.cheaper_below, c.cheaper_above) for c in found] == [
        ("a price a request", "a fixed price"),
    ]
    assert found[0].rps == pytest.approx(10_000, rel=0.05)


def test_money_is_what_the_prices_say() -> None:
    manifest, trials = world()
    demand = next(d for d in demands(manifest, trials) if (d.strategy, d.workload) == ("jwt-hs256", "whoami"))
    prices = Prices(source="made up", currency="EUR", app_vcpu_hour=0.1, cache_server_hour=5)
    sized = size(demand, 1000, Fleet(), prices)
    assert sized.cost_per_month == pytest.approx(sized.replicas * 0.1 * 730)

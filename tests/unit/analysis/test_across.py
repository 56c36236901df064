"""Two runs beside each other, of worlds whose truth is known."""

import math

import numpy as np
import pytest
from scipy import stats

from authbench.analysis.across import across
from authbench.analysis.comparability import comparability
from authbench.analysis.counted import counted
from authbench.analysis.welch import control_ratios, exact_change, medians, welch
from authbench.metric import METRICS
from authbench.records import Manifest
from tests.unit.analysis.synthetic import TRUTHS, World, changed, make

FEW = tuple(truth for truth in TRUTHS if truth.name in ("none", "session-db", "jwt-hs256", "jwt-row"))
OLD = World(truths=FEW, launches=8, seed=7)
NEW = World(truths=FEW, launches=8, seed=8)
CPU = "cpu_ms_per_request"


def run(world):
    manifest, trials, _ = make(world)
    return manifest, trials


def with_(manifest, **changes):
    """The manifest with changes: `machine__kernel` for a key of its machine, other names for its own."""
    told = manifest.model_dump()
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            told[section] = {**told[section], name: value}
        else:
            told[section] = value
    return Manifest.model_validate(told)


def between(new, old=None, **options):
    (found,) = across([old or run(OLD), new], **options)
    return found


def change(found, strategy, metric, load=None):
    (one,) = [
        each
        for each in found.changes
        if (each.strategy, each.metric) == (strategy, metric) and load in (None, each.load)
    ]
    return one


def words(found, metric=CPU):
    return {each.strategy: each.verdict.word for each in found.changes if each.metric == metric}


def codes(found):
    return {caution.code for caution in found.cautions}


def test_the_same_code_again_is_no_change_but_the_runs_did_not_alternate():
    found = between(run(NEW))

    assert found.comparability.basis == "seconds"
    assert not {"better", "worse"} & set(words(found).values())
    assert "not-alternated" in codes(found)
    assert not found.refused


def test_a_slower_strategy_is_found_and_the_others_left_alone():
    found = between(run(World(truths=FEW, launches=8, seed=8, factors={"jwt-row": 1.25})))
    slower = change(found, "jwt-row", CPU)

    assert words(found) | {"none": "", "session-db": "", "jwt-hs256": ""} == {
        "none": "",
        "session-db": "",
        "jwt-hs256": "",
        "jwt-row": "worse",
    }
    assert slower.ratio.value == pytest.approx(1.25, rel=0.03)
    assert slower.ratio.excludes(1)
    assert slower.new / slower.old == pytest.approx(slower.ratio.value)
    assert (slower.shown, slower.unit, slower.counted) == ("seconds", "ms", (8, 8))


def test_welch_is_scipys():
    random = np.random.default_rng(1)
    old, new = random.normal(0, 0.02, 6).tolist(), random.normal(0.1, 0.05, 9).tolist()
    found, test = welch(old, new), stats.ttest_ind(new, old, equal_var=False)
    interval = test.confidence_interval(0.95)

    assert found.p_value() == pytest.approx(test.pvalue)
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((interval.low, interval.high))
    assert found.n == 6


@pytest.mark.parametrize(("old", "new", "interval"), [([1.0], [1.0, 2.0], False), ([0.0, 0.0], [0.0, 0.0, 0.0], True)])
def test_welch_of_one_launch_or_of_what_never_varies(old, new, interval):
    found = welch(old, new)

    assert (found.low is not None) is interval
    assert found.p_value() == (1.0 if interval else None)
    assert welch([], new) is None


def test_intervals_of_independent_runs_hold_the_truth():
    random = np.random.default_rng(2)
    hits = 0
    for _ in range(2000):
        found = welch(random.normal(0, 0.02, 6).tolist(), random.normal(0.05, 0.06, 8).tolist())
        hits += found.low <= math.exp(0.05) <= found.high

    assert 0.94 <= hits / 2000 <= 0.965


def faster(trials, by):
    """As a machine that is so many times as fast would have measured."""
    return [changed(t, cpu_s={tier: s / by for tier, s in t.cpu_s.items()}) for t in trials]


def test_where_the_control_moved_ratios_to_it_lead_and_seconds_stand_beside():
    manifest, trials = run(NEW)
    found = between((manifest, faster(trials, 1.5)))
    row = change(found, "jwt-row", CPU)

    assert "control-moved" in codes(found)
    assert (row.shown, row.unit) == ("ratio to control", "× control")
    assert row.seconds.value == pytest.approx(1 / 1.5, rel=0.05)
    assert row.ratio.value == pytest.approx(1, abs=0.05)
    assert row.verdict.word in ("equivalent", "inconclusive")
    assert change(found, "none", CPU).shown == "seconds"


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"machine__kernel": "6.2.0"}, "machine.kernel"),
        ({"machine__cpu_model": "Other"}, "machine.cpu_model"),
        ({"machine__cores": 4}, "machine.cores"),
        ({"machine__pinning": "none"}, "machine.pinning"),
        ({"versions__pyjwt": "2.15.1"}, "versions.pyjwt"),
    ],
)
def test_of_another_machine_or_version_seconds_are_refused(changes, part):
    manifest, trials = run(NEW)
    found = between((with_(manifest, **changes), faster(trials, 1.5)))

    assert found.comparability.basis == "ratios and counts"
    assert {"seconds-refused", "runs-differ"} <= codes(found)
    assert part in {caution.about for caution in found.cautions}
    assert {each.shown for each in found.changes} == {"ratio to control", "count"}
    assert "none" not in words(found)  # its seconds are all it has
    assert change(found, "jwt-row", CPU).ratio.value == pytest.approx(1, abs=0.05)
    assert "not-alternated" not in codes(found)


def test_a_slower_strategy_is_found_on_another_machine():
    manifest, trials = run(World(truths=FEW, launches=8, seed=8, factors={"jwt-row": 1.25}))
    found = between((with_(manifest, machine__cpu_model="Other"), faster(trials, 3)))

    assert words(found)["jwt-row"] == "worse"
    assert words(found)["jwt-hs256"] != "worse"


def test_without_a_common_control_only_counts_are_left_on_another_machine():
    manifest, trials = run(NEW)
    other = with_(manifest, machine__cpu_model="Other", question__control="jwt-hs256")
    found = between((other, trials), every_metric=True)

    assert {each.shown for each in found.changes} == {"count", "exact count"}
    assert {METRICS[each.metric].unit for each in found.changes}.isdisjoint({"ms", "requests/s", "connections/s"})


SCENARIO = {"workloads": {"whoami": {"whoami": 1}}, "stack": {"workers": 1}}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"question__name": "growth"}, "another scenario"),
        ({"scenario": {**SCENARIO, "stack": {"workers": 2}}}, "stack.workers"),
        ({"scenario": {**SCENARIO, "data": {"orders": 5}}}, "data.orders"),
        ({"settings__postgresql": {"fsync": "off"}}, "settings.postgresql.fsync"),
    ],
)
def test_what_was_not_measured_alike_is_not_compared_at_all(changes, part):
    manifest, trials = run(NEW)
    found = between((with_(manifest, **changes), trials))

    assert found.comparability.basis == "nothing"
    assert found.changes == ()
    assert part in found.refused[0].reason
    assert len(found.refused[0].cells) == 8


@pytest.mark.parametrize(
    ("section", "value", "left"),
    [
        (
            "workloads",
            {"whoami": {"whoami": 2}, "orders": {"orders": 1}},
            {("orders", "saturate"), ("orders", "rate@0.3")},
        ),
        ("credentials", {"whoami": "hot", "orders": "own"}, {("orders", "saturate"), ("orders", "rate@0.3")}),
        ("load", {"connections": 32}, {("whoami", "rate@0.3"), ("orders", "rate@0.3")}),
        ("load", {"arrivals": "constant"}, {("whoami", "saturate"), ("orders", "saturate")}),
    ],
)
def test_single_cells_are_refused_and_the_others_compared(section, value, left):
    world = World(truths=FEW, launches=2, workloads=("whoami", "orders"))
    manifest, trials = run(world)
    found = between((with_(manifest, scenario={**manifest.scenario, section: value}), trials), run(world))
    refused = {(cell["workload"], cell["load"]) for each in found.refused for cell in each.cells}
    everything = {(workload, load) for workload in ("whoami", "orders") for load in ("saturate", "rate@0.3")}

    assert refused == everything - left
    assert {each.levels["workload"] for each in found.changes} == {workload for workload, _ in left}


def test_ports_and_addresses_are_no_difference():
    manifest, _ = run(OLD)
    here = with_(manifest, settings={"postgresql": {**manifest.settings["postgresql"], "port": "1"}})
    there = with_(manifest, settings={"postgresql": {**manifest.settings["postgresql"], "port": "2"}})

    assert comparability(here, there).differences == ()


def test_origin_is_told_and_forbids_nothing():
    manifest, _ = run(OLD)
    may = comparability(manifest, with_(manifest, git_commit="f" * 40, seed=9, authbench="0.2.0"))

    assert may.basis == "seconds"
    assert {each.part: each.loud for each in may.differences} == {"authbench": True, "git_commit": False, "seed": False}


def test_a_strategy_that_one_run_lacks_is_refused_by_name():
    found = between(run(World(truths=FEW[:3], launches=8, seed=8)))

    assert [each.reason for each in found.refused] == ["not measured in NEW"]
    assert {cell["strategy"] for cell in found.refused[0].cells} == {FEW[3].name}
    assert "runs-differ" in codes(found)  # the factor's levels


def test_a_strategy_that_failed_verification_is_refused():
    found = between(run(World(truths=FEW, launches=8, seed=8, rejected=frozenset({"jwt-row"}))))

    assert [each.reason for each in found.refused] == ["jwt-row did not pass verification in NEW"]


def test_what_stayed_invalid_is_invalid():
    found = between(run(World(truths=FEW, launches=8, seed=8, stuck=frozenset({"jwt-row"}))))

    assert words(found)["jwt-row"] == "invalid"
    assert "no valid trial in NEW" in change(found, "jwt-row", CPU).verdict.why
    assert change(found, "jwt-row", "latency_p50_ms").verdict.word != "invalid"
    assert change(found, "jwt-row", "connections_peak").verdict.word != "invalid"  # read at the other load


def statements(trials, extra):
    return [
        changed(t, database={**t.database.model_dump(), "statements": t.database.statements + extra * t.load.sent})
        if t.strategy == "session-db"
        else t
        for t in trials
    ]


def test_any_change_of_an_exact_count_is_a_change():
    manifest, trials = run(NEW)
    found = between((manifest, statements(trials, 1)), every_metric=True)
    counted_ = change(found, "session-db", "statements_per_request")

    assert (counted_.verdict.word, counted_.old, counted_.new) == ("worse", 2, 3)
    assert "+1 statements (+50 %)" in counted_.verdict.why
    assert counted_.ratio is None
    assert change(found, "jwt-row", "statements_per_request").verdict.word == "equivalent"
    assert (
        words(between((manifest, statements(trials, -1)), every_metric=True), "statements_per_request")["session-db"]
        == "better"
    )


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ([2.0, 2.0], [2.0, 2.0], "equivalent"),
        ([2.0, 2.0], [2.001, 2.001], "worse"),
        ([500.1, 500.4], [500.3, 500.6], "equivalent"),  # which users were drawn
        ([500.1, 500.4], [500.0, 500.05], "better"),
        ([1.0, 2.0], [1.5, 2.5], "inconclusive"),
        ([0.0], [0.0], "equivalent"),
        ([0.0], [1.0], "worse"),
        ([], [1.0], "invalid"),
    ],
)
def test_counts_that_vary_within_a_run_changed_where_their_ranges_do_not_meet(old, new, word):
    assert exact_change(old, new, METRICS["bytes_per_request"], 0.03).word == word


def test_a_count_of_zero_on_both_sides_is_the_same():
    found = between(run(NEW), every_metric=True)

    assert change(found, "jwt-hs256", "connections_peak").verdict.word == "equivalent"
    assert change(found, "jwt-hs256", "connections_peak").ratio is None


def test_latency_at_another_rate_is_not_compared():
    found = between(run(World(truths=FEW, launches=8, seed=8, rate_rps=210.0)))

    assert "open-model rates (180 and 210 requests/s)" in found.refused[0].reason
    assert "latency_p50_ms" not in {each.metric for each in found.changes}


def test_latency_at_nearly_the_same_rate_is_compared_and_told():
    found = between(run(World(truths=FEW, launches=8, seed=8, rate_rps=185.0)))

    assert "rates-differ" in codes(found)
    assert change(found, "jwt-row", "latency_p50_ms").ratio is not None


def test_a_quantile_that_no_launch_supports_has_no_ratio():
    row = change(between(run(NEW)), "jwt-row", "latency_p99_ms")

    assert (row.ratio, row.verdict.word) == (None, "inconclusive")
    assert "50 samples" in row.verdict.why
    assert row.old is not None  # of all launches' samples together: 64 beyond


def test_every_metric_is_compared_where_asked():
    asked = {each.metric for each in between(run(NEW), every_metric=True).changes}

    assert {each.metric for each in between(run(NEW)).changes} < asked
    assert {"capacity_rps", "service_p90_ms", "resident_mb_per_replica", "credential_bytes"} <= asked


def test_each_new_is_a_family_of_its_own():
    slower = run(World(truths=FEW, launches=8, seed=8, factors={"jwt-row": 1.25}))
    first, second = across([run(OLD), run(NEW), slower])

    assert words(second)["jwt-row"] == "worse"
    assert first == between(run(NEW))
    assert second == between(slower)


def test_ratios_to_the_control_are_free_of_the_machines_speed():
    trials = counted(run(OLD)[1])
    here, there = (control_ratios(rows, "none", CPU, "saturate") for rows in (trials, faster(trials, 7)))
    truth = {truth.name: truth.total_ms / FEW[0].total_ms for truth in FEW}

    assert {strategy for _, strategy in here} == {"session-db", "jwt-hs256", "jwt-row"}
    for key, logs in here.items():
        assert medians(logs) == pytest.approx(medians(there[key]))
        assert math.exp(np.mean(medians(logs))) == pytest.approx(truth[key[1]], rel=0.05)


def test_it_survives_json():
    found = between(run(NEW))

    assert type(found).model_validate_json(found.model_dump_json()) == found

"""The two stages of tier 2, with launches and a clock made by hand."""

import math
from collections.abc import Callable, Mapping, Sequence

import pytest

from authbench.gate.cpu import FEWEST_IN_TIME, Readings, cpu_rows, elapsed_rows, measure_stages
from authbench.gate.decision import Plan, bounds
from authbench.gate.limits import Limit, Limits
from authbench.gate.windows import Window
from tests.unit.gate.made import CPU, launched, window

MARGIN = 0.03
PLAN = Plan(fewest=4, most=6, half_width=0.01)
NEVER = math.inf
JITTER = (0.001, -0.001, 0.002, -0.002)
Logs = Callable[[str, int, int], float]  # strategy, stage, number of the launch


class Bench:
    """Launches that take ten seconds each by its own clock, and what was asked of it."""

    def __init__(self, logs: Logs, twin: Logs = lambda *_: 0.0, takes: float = 10.0) -> None:
        self._logs, self._twin, self._takes = logs, twin, takes
        self.now = 1_000.0
        self.asked: list[tuple[int, int, tuple[str, ...]]] = []

    def clock(self) -> float:
        return self.now

    def launch(self, stage: int, number: int, strategies: Sequence[str]) -> list[Window]:
        self.asked.append((stage, number, tuple(strategies)))
        self.now += self._takes
        return [
            each
            for strategy in strategies
            for each in launched(
                self._logs(strategy, stage, number),
                self._twin(strategy, stage, number),
                strategy=strategy,
                stage=stage,
                launch=number,
            )
        ]

    def of_stage(self, stage: int) -> list[tuple[str, ...]]:
        return [strategies for asked, _, strategies in self.asked if asked == stage]


def steady(changes: Mapping[str, float]) -> Logs:
    """Launches that hardly differ."""
    return lambda strategy, _, number: math.log1p(changes[strategy]) + JITTER[number % 4]


def measured(bench: Bench, strategies: Sequence[str], stage_s: float = NEVER, plan: Plan = PLAN) -> Readings:
    margins = dict.fromkeys(strategies, MARGIN)
    return measure_stages(strategies, margins, plan, bench.launch, stage_s, clock=bench.clock)


def test_what_passes_at_once_is_not_measured_again() -> None:
    bench = Bench(steady({"same": 0.0, "slow": 0.06}))
    measured(bench, ["same", "slow"])
    assert bench.of_stage(1) == [("same", "slow")] * 4
    assert bench.of_stage(2) == [("slow",)] * 4


def test_where_all_pass_there_is_no_second_stage() -> None:
    bench = Bench(steady({"same": 0.0, "better": -0.2}))
    readings = measured(bench, ["same", "better"])
    assert bench.of_stage(2) == []
    rows, _ = cpu_rows(readings, ["same", "better"], Limits())
    assert [row.outcome for row in rows] == ["pass", "pass"]
    assert [row.launches for row in rows] == [4, 4]


def test_launches_are_numbered_on_through_both_stages() -> None:
    bench = Bench(steady({"slow": 0.06}))
    measured(bench, ["slow"])
    assert [number for _, number, _ in bench.asked] == list(range(8))


def test_a_strategy_with_enough_launches_leaves_the_others_to_go_on() -> None:
    def logs(strategy: str, stage: int, number: int) -> float:
        return JITTER[number % 4] * (1 if strategy == "quiet" else 50)

    bench = Bench(logs)
    measured(bench, ["quiet", "loud"])
    assert bench.of_stage(1) == [("quiet", "loud")] * 4 + [("loud",)] * 2  # up to the most
    assert bench.of_stage(2) == [("loud",)] * 6


@pytest.mark.parametrize(
    ("stage_s", "launches"),
    [(0.0, FEWEST_IN_TIME), (9.0, FEWEST_IN_TIME), (25.0, FEWEST_IN_TIME), (31.0, 4), (40.0, 4), (41.0, 5), (55.0, 6)],
)
def test_a_stage_ends_with_its_time_but_never_under_three_launches(stage_s: float, launches: int) -> None:
    """None begins after the time is over; the one that runs is finished."""
    bench = Bench(lambda _strategy, _stage, number: JITTER[number % 4] * 50)
    measured(bench, ["loud"], stage_s)
    assert len(bench.of_stage(1)) == launches
    assert len(bench.of_stage(2)) == launches  # a time of its own


def test_each_stage_has_its_own_time_whatever_the_other_left() -> None:
    bench = Bench(steady({"slow": 0.06}))
    measured(bench, ["slow"], stage_s=1_000.0)
    assert [len(bench.of_stage(stage)) for stage in (1, 2)] == [4, 4]


def test_a_strategy_is_measured_by_its_own_margin() -> None:
    bench = Bench(steady({"a": 0.06, "b": 0.06}))
    measure_stages(["a", "b"], {"a": 0.03, "b": 0.10}, PLAN, bench.launch, NEVER, clock=bench.clock)
    assert bench.of_stage(2) == [("a",)] * 4


def test_progress_is_told_in_seconds_of_both_stages_and_never_more_than_there_are() -> None:
    bench = Bench(steady({"slow": 0.06}))
    told: list[tuple[float, float]] = []
    measure_stages(
        ["slow"],
        {"slow": MARGIN},
        PLAN,
        bench.launch,
        25.0,
        bench.clock,
        lambda done, planned: told.append((done, planned)),
    )
    assert told == [(10, 50), (20, 50), (25, 50), (35, 50), (45, 50), (50, 50)]


def test_without_strategies_nothing_is_measured() -> None:
    bench = Bench(steady({}))
    assert measured(bench, []).logs == {}
    assert bench.asked == []


def test_an_interrupt_in_a_launch_is_not_swallowed() -> None:
    def launch(stage: int, number: int, strategies: Sequence[str]) -> Sequence[Window]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_stages(["a"], {"a": MARGIN}, PLAN, launch, NEVER)


# Rows


def rows_of(bench: Bench, *strategies: str, limits: Limits | None = None) -> list[tuple[str, str]]:
    found, _ = cpu_rows(measured(bench, strategies), strategies, limits or Limits())
    return [(row.outcome, row.why) for row in found]


def test_a_regression_is_told_with_everything_that_is_known() -> None:
    readings = measured(Bench(steady({"slow": 0.06})), ["slow"])
    (row,), (twin,) = cpu_rows(readings, ["slow"], Limits())
    assert (row.tier, row.strategy, row.endpoint, row.metric, row.unit) == (2, "slow", "whoami", CPU, "ms")
    assert (row.outcome, row.why, row.limit) == ("regression", "both stages lie above +3 %", "+3 %")
    assert row.launches == 8
    assert row.base == pytest.approx(1.0)
    assert row.candidate == pytest.approx(1.06, rel=1e-3)
    assert row.ratio == pytest.approx(1.06, rel=1e-3)
    found = bounds(readings.of("slow", "cand", 1) + readings.of("slow", "cand", 2))
    assert found is not None
    assert (row.ratio, row.interval) == (found.ratio, found.interval)
    assert (twin.strategy, twin.metric, twin.outcome) == ("slow", CPU, "pass")
    assert twin.bounds is not None
    assert twin.bounds.ratio == pytest.approx(1.0)


def test_a_strategy_that_is_slow_in_one_stage_only_is_left_open() -> None:
    bench = Bench(lambda _strategy, stage, number: (0.06 if stage == 1 else 0.0) + JITTER[number % 4])
    (told,) = rows_of(bench, "odd")
    assert told[0] == "inconclusive"


def test_a_limit_of_its_own_is_what_a_row_is_judged_by() -> None:
    limits = Limits(strategies={"slow": {CPU: Limit(kind="share", most=0.10)}})
    readings = measured(Bench(steady({"slow": 0.06})), ["slow"])
    (row,), _ = cpu_rows(readings, ["slow"], limits)
    assert (row.outcome, row.limit) == ("pass", "+10 %")


@pytest.mark.parametrize(("off", "said"), [(0.05, "+5.0 %"), (-0.05, "-5.0 %")])
def test_a_twin_that_is_off_makes_the_row_invalid_either_way(off: float, said: str) -> None:
    for change in (0.0, 0.3):
        bench = Bench(steady({"a": change}), twin=lambda *_: math.log1p(off))
        ((outcome, why),) = rows_of(bench, "a")
        assert outcome == "invalid"
        assert said in why
        assert "twin" in why


def test_a_twin_within_the_margin_or_too_unsure_to_say_changes_nothing() -> None:
    within = Bench(steady({"a": 0.0}), twin=lambda *_: math.log1p(0.02))
    unsure = Bench(steady({"a": 0.0}), twin=lambda _strategy, _stage, number: (0.2, -0.1)[number % 2])
    assert [rows_of(bench, "a")[0][0] for bench in (within, unsure)] == ["pass", "pass"]


def test_a_twin_that_is_off_says_nothing_of_other_strategies() -> None:
    bench = Bench(steady({"a": 0.0, "b": 0.0}), twin=lambda strategy, *_: 0.05 if strategy == "a" else 0.0)
    assert [outcome for outcome, _ in rows_of(bench, "a", "b")] == ["invalid", "pass"]


def test_without_any_launch_that_counts_a_row_is_open_and_says_why() -> None:
    (row,), (twin,) = cpu_rows(Readings(), ["jwt"], Limits())
    assert (row.outcome, row.launches, row.base, row.ratio, row.interval) == ("inconclusive", 0, None, None, None)
    assert "fewer than two launches" in row.why
    assert (twin.outcome, twin.bounds) == ("inconclusive", None)


# Time to the answer: what waits uses no CPU


def waiting(*, slow_in: tuple[int, ...]) -> Bench:
    """A candidate that uses no more CPU, and in these stages takes three times as long for an answer."""
    bench = Bench(steady({"a": 0.0}))
    launch = bench.launch

    def slowly(stage: int, number: int, strategies: Sequence[str]) -> list[Window]:
        slow = 3.0 if stage in slow_in else 1.0
        return [
            each.model_copy(update={"window_s": each.window_s * (slow if each.arm == "cand" else 1.0)})
            for each in launch(stage, number, strategies)
        ]

    bench.launch = slowly  # type: ignore[method-assign]
    return bench


@pytest.mark.parametrize(
    ("slow_in", "stages", "outcome"), [((1, 2), 2, "regression"), ((1,), 2, "pass"), ((2,), 1, "pass"), ((), 1, "pass")]
)
def test_a_candidate_that_waits_is_a_regression_where_both_stages_are_certain(
    slow_in: tuple[int, ...], stages: int, outcome: str
) -> None:
    bench = waiting(slow_in=slow_in)
    readings = measure_stages(["a"], {"a": MARGIN}, PLAN, bench.launch, NEVER, clock=bench.clock, allowed_wait=0.25)
    (row,) = elapsed_rows(readings, ["a"], Limits())
    assert (row.metric, row.outcome, row.limit) == ("elapsed_ms_per_request", outcome, "+25 %")
    assert {stage for stage, _, _ in bench.asked} == set(range(1, stages + 1))
    if outcome == "regression":
        assert row.ratio == pytest.approx(3.0)
    (on_cpu,), _ = cpu_rows(readings, ["a"], Limits())
    assert on_cpu.outcome == "pass"


def test_without_a_launch_nothing_is_said_against_the_time_to_the_answer() -> None:
    (row,) = elapsed_rows(Readings(), ["a"], Limits())
    assert (row.outcome, row.ratio, row.launches) == ("pass", None, 0)


# Readings


def test_windows_with_wrong_answers_are_left_out_of_ratios_and_costs() -> None:
    good = launched(0.01, rounds=3)
    bad = [window(arm, 50.0, turn=3, ok=99) for arm in ("base", "twin", "cand")]
    half_bad = [window("base", 50.0, turn=4), window("twin", 50.0, turn=4), window("cand", 900.0, turn=4, ok=0)]
    readings = Readings()
    readings.add(1, [*good, *bad])
    assert readings.of("jwt", "cand", 1) == pytest.approx([0.01])
    assert readings.costs["jwt", "base"] == pytest.approx([1.0] * 3)
    readings.add(1, half_bad)
    assert len(readings.of("jwt", "cand", 1)) == 1  # no round in which all three answered
    assert readings.of("jwt", "twin", 1) == pytest.approx([0.0, 0.0])
    assert readings.costs["jwt", "cand"] == pytest.approx([math.exp(0.01)] * 3)


def test_a_strategy_that_never_answers_rightly_ends_with_its_time() -> None:
    bench = Bench(steady({"a": 0.0}))

    def launch(stage: int, number: int, strategies: Sequence[str]) -> list[Window]:
        return [each.model_copy(update={"ok": 99}) for each in bench.launch(stage, number, strategies)]

    readings = measure_stages(["a"], {"a": MARGIN}, PLAN, launch, 60.0, bench.clock)
    assert readings.logs == {}
    (row,), _ = cpu_rows(readings, ["a"], Limits())
    assert row.outcome == "inconclusive"


def test_stages_and_strategies_are_kept_apart() -> None:
    readings = Readings()
    readings.add(1, [*launched(0.1, strategy="a"), *launched(0.2, strategy="b")])
    readings.add(2, launched(0.3, strategy="a"))
    assert readings.of("a", "cand", 1) == pytest.approx([0.1])
    assert readings.of("b", "cand", 1) == pytest.approx([0.2])
    assert readings.of("a", "cand", 2) == pytest.approx([0.3])
    assert readings.of("b", "cand", 2) == []
    assert readings.decision("b", "cand", MARGIN).second is None

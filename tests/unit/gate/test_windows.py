"""From windows to one log ratio a launch."""

import json
import math
from collections.abc import Sequence
from statistics import fmean
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from authbench.errors import StackError
from authbench.gate import windows
from authbench.gate.arms import ARMS, Arms
from authbench.gate.windows import Alternation, Window, launch_log, round_logs
from tests.unit.gate.made import window


def round_of(turn: int, **ms: float) -> list[Window]:
    return [window(arm, cost, turn=turn) for arm, cost in ms.items()]  # type: ignore[arg-type]


def test_a_window_is_the_cpu_of_the_whole_stack_for_each_right_answer() -> None:
    made = window(ms=2.5, requests=40)
    assert made.cpu_s["app"] + made.cpu_s["db"] == pytest.approx(0.1)
    assert made.cpu_ms_per_request == pytest.approx(2.5)


def test_a_window_is_a_line_that_is_read_back_and_knows_no_other_key() -> None:
    made = window("cand")
    assert Window.model_validate_json(made.model_dump_json()) == made
    with pytest.raises(ValidationError):
        Window.model_validate({**json.loads(made.model_dump_json()), "more": 1})


def test_an_arm_is_compared_with_the_mean_of_both_logs_of_the_base() -> None:
    made = round_of(0, base=1.0, twin=1.21, cand=2.2)
    assert round_logs(made, "cand") == pytest.approx([math.log(2.2 / 1.1)])


def test_the_twin_is_compared_with_the_base_alone() -> None:
    assert round_logs(round_of(0, base=1.0, twin=1.21, cand=9.0), "twin") == pytest.approx([math.log(1.21)])


def test_a_burdened_arm_is_compared_like_a_candidate() -> None:
    assert round_logs(round_of(0, base=1, twin=1, cand=7, slow=3), "slow") == pytest.approx([math.log(3)])


def launch_of(costs: Sequence[float]) -> list[Window]:
    return [each for turn, cost in enumerate(costs) for each in round_of(turn, base=1, twin=1, cand=cost)]


def test_a_launch_is_the_mean_of_its_rounds_without_a_fifth_at_either_end() -> None:
    costs = (1.02, 1.01, 1.04, 1.03, 1.05, 1.02, 1.06, 1.03, 50.0, 0.1)
    logs = sorted(map(math.log, costs))
    assert launch_log(launch_of(costs), "cand") == pytest.approx(fmean(logs[2:-2]))
    assert len(round_logs(launch_of(costs), "cand")) == 10


@pytest.mark.parametrize("gusts", [(50.0, 90.0), (0.01, 0.02), (50.0, 0.01)])
def test_a_gust_in_a_fifth_of_the_rounds_counts_no_more_than_the_others_do(gusts: tuple[float, float]) -> None:
    assert launch_log(launch_of([1.02] * 8 + list(gusts)), "cand") == pytest.approx(math.log(1.02))


@pytest.mark.parametrize("costs", [(1.2,), (1.0, 1.2), (1.0, 1.2, 1.4, 1.1)])
def test_of_few_rounds_none_is_put_aside(costs: tuple[float, ...]) -> None:
    assert launch_log(launch_of(costs), "cand") == pytest.approx(fmean(map(math.log, costs)))


def test_the_order_of_windows_within_and_between_rounds_does_not_matter() -> None:
    made = [each for turn in range(5) for each in round_of(turn, base=1 + turn, twin=2, cand=1.1 * (1 + turn))]
    assert launch_log(reversed(made), "cand") == pytest.approx(launch_log(made, "cand"))


@pytest.mark.parametrize("lacking", ["base", "twin", "cand"])
def test_a_round_that_lacks_an_arm_is_left_out(lacking: str) -> None:
    whole = round_of(0, base=1, twin=1, cand=1.5)
    part = [each for each in round_of(1, base=1, twin=1, cand=90) if each.arm != lacking]
    assert round_logs([*whole, *part], "cand") == pytest.approx([math.log(1.5)])


@pytest.mark.parametrize("wrong", ["base", "twin", "cand"])
def test_a_round_with_a_wrong_answer_is_left_out(wrong: str) -> None:
    whole = round_of(0, base=1, twin=1, cand=1.5)
    part = [
        each.model_copy(update={"ok": 99}) if each.arm == wrong else each
        for each in round_of(1, base=1, twin=1, cand=90)
    ]
    assert launch_log([*whole, *part], "cand") == pytest.approx(math.log(1.5))


def test_a_wrong_answer_of_the_candidate_leaves_the_twins_round() -> None:
    made = [*round_of(0, base=1, twin=1.1), window("cand", 5, ok=0)]
    assert launch_log(made, "twin") == pytest.approx(math.log(1.1))
    assert launch_log(made, "cand") is None


def test_a_launch_without_a_whole_round_has_no_ratio() -> None:
    assert launch_log([], "cand") is None
    assert round_logs(round_of(0, base=1, twin=1), "cand") == []


def test_any_cost_can_be_asked_for() -> None:
    made = [
        each.model_copy(update={"window_s": seconds})
        for each, seconds in zip(round_of(0, base=1, twin=1, cand=1), (1, 1, 3), strict=True)
    ]
    assert launch_log(made, "cand", lambda each: each.window_s) == pytest.approx(math.log(3))


# The alternation, on a stack that only counts


class Stack:
    """A stack whose CPU clocks go on by a millisecond a request, the candidate's app by two."""

    def __init__(self, answered: float = 1.0, rps: float = 500.0) -> None:
        self.answered, self.rps = answered, rps
        self.tiers = {"postgresql": "db", "valkey": "cache", "nginx": "lb"}
        self.tiers |= {f"{name}-{arm}-1": "app" for name in ("jwt", "session-db") for arm in ARMS}
        self.ns = dict.fromkeys(self.tiers, 0)
        self.heard: list[str] = []
        self.fired: list[tuple[str, int]] = []

    def start_replicas(self, count: int) -> None:
        self.heard.append(f"start {count}")

    def check(self) -> None:
        self.heard.append("check")

    def replica_names(self, variant: str) -> list[str]:
        return [f"{variant}-1"]

    def running(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(cpu_ns=lambda: self.ns[name])

    def fire(self, plan: SimpleNamespace) -> SimpleNamespace:
        variant = plan.url
        self.fired.append((variant, plan.count))
        self.ns[f"{variant}-1"] += plan.count * 1_000_000 * (2 if variant.endswith("cand") else 1)
        self.ns["postgresql"] += plan.count * 1_000_000
        ok = int(plan.count * self.answered)
        return SimpleNamespace(
            sent=plan.count, ok=ok, window_s=0.1, achieved_rps=self.rps, failures={"status 500": plan.count - ok}
        )


@pytest.fixture
def alternating(monkeypatch: pytest.MonkeyPatch):
    def prepared(stack: object, arms: tuple[Arms, ...], seed: int) -> dict[str, SimpleNamespace]:
        return {each.name: SimpleNamespace(url=each.name, requests=each.name) for one in arms for each in one.all()}

    for name, value in {"_prepare": prepared, "WINDOW_S": 0.08, "FEWEST_REQUESTS": 20, "MOST_REQUESTS": 250}.items():
        monkeypatch.setattr(windows, name, value)
    for service in ("postgres", "valkey", "nginx"):
        monkeypatch.setattr(windows, service, SimpleNamespace(NAME={"postgres": "postgresql"}.get(service, service)))

    def made(stack: Stack, *names: str, seed: int = 1) -> Alternation:
        arms = tuple(
            Arms(name, {arm: SimpleNamespace(name=f"{name}-{arm}") for arm in ARMS})
            for name in names  # type: ignore[misc]
        )
        return Alternation(stack, stack, arms, seed)  # type: ignore[arg-type]

    return made


def test_a_launch_is_fresh_processes_warmed_up_and_every_arm_once_a_round(alternating) -> None:
    stack = Stack()
    found = alternating(stack, "jwt").launch(1, 4, rounds=6)
    assert stack.heard == ["start 1", "check"]
    assert stack.fired[:3] == [(f"jwt-{arm}", windows.WARM_UP_REQUESTS) for arm in ARMS]
    assert len(found) == 18
    for turn in range(6):
        mine = [each for each in found if each.round == turn]
        assert {each.arm for each in mine} == set(ARMS)
        assert sorted(each.position for each in mine) == [0, 1, 2]
    assert {(each.stage, each.launch, each.strategy) for each in found} == {(1, 4, "jwt")}
    assert len({tuple(each.arm for each in found[3 * turn : 3 * turn + 3]) for turn in range(6)}) > 1


def test_a_window_holds_only_what_was_used_in_it(alternating) -> None:
    found = alternating(Stack(), "jwt").launch(1, 0, rounds=2)
    for each in found:
        assert each.cpu_ms_per_request == pytest.approx(3.0 if each.arm == "cand" else 2.0)
        assert set(each.cpu_s) == {"app", "db", "cache", "lb"}
    assert launch_log(found, "cand") == pytest.approx(math.log(1.5))
    assert launch_log(found, "twin") == pytest.approx(0.0)


def test_all_windows_of_a_strategy_hold_the_same_number_of_requests_in_every_launch(alternating) -> None:
    stack = Stack()
    measured = alternating(stack, "jwt")
    counts = {each.requests for each in measured.launch(1, 0, rounds=2)}
    assert counts == {40}  # 0.08 s at 500 a second
    stack.rps = 2_000.0
    assert {each.requests for each in measured.launch(1, 1, rounds=2)} == counts


@pytest.mark.parametrize(("rps", "count"), [(1.0, 20), (1e6, 250)])
def test_windows_are_neither_too_short_nor_too_long(alternating, rps: float, count: int) -> None:
    assert {each.requests for each in alternating(Stack(rps=rps), "jwt").launch(1, 0, rounds=1)} == {count}


def test_the_same_seed_gives_the_same_order_and_another_one_another(alternating) -> None:
    def order(seed: int) -> list[tuple[str, str]]:
        found = alternating(Stack(), "jwt", "session-db", seed=seed).launch(1, 0, rounds=8)
        return [(each.strategy, each.arm) for each in found]

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_only_the_strategies_asked_for_are_warmed_up_and_measured(alternating) -> None:
    stack = Stack()
    found = alternating(stack, "jwt", "session-db").launch(2, 0, ["session-db"], rounds=2)
    assert {each.strategy for each in found} == {"session-db"}
    assert {variant for variant, _ in stack.fired} == {f"session-db-{arm}" for arm in ARMS}


def test_wrong_answers_while_warming_up_end_it_with_their_kinds(alternating) -> None:
    with pytest.raises(StackError, match=r"jwt, base: 100 of 200 answers wrong: status 500 \(100\)"):
        alternating(Stack(answered=0.5), "jwt").launch(1, 0)

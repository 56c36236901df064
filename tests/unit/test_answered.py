"""What is left of a plan: the same trials in the same order, wherever a run was cut."""

import random
from itertools import count

import pytest

from authbench.answered import Answered
from authbench.design import Launch, Planned, plan
from authbench.records import Reason, Trial
from tests.unit.analysis.synthetic import a_trial
from tests.unit.test_design import scenario

ATTEMPTS = 3
REASON = Reason(code="steal", message="steal 4 %, over 2 %")
MODEL = a_trial()


def world() -> tuple[list[Launch], set[str]]:
    s = scenario(strategy=["none", "session-db", "jwt-hs256"])
    launches = list(plan(s, s.cells(), seed=3))[:2]
    return launches, {"none", "session-db"}


def record(planned: Planned, number: int, attempt: int, valid: bool) -> Trial:
    return MODEL.model_copy(
        update={
            "trial": number,
            "launch": planned.launch,
            "block": planned.block,
            "position": planned.position,
            "attempt": attempt,
            "cell": planned.cell.levels(),
            "reasons": () if valid else (REASON,),
        }
    )


def lucky(planned: Planned, attempt: int) -> bool:
    """Whether that attempt is valid: drawn once for all, some never."""
    return random.Random(f"{planned.key()} {attempt}").random() < 0.5


def finish(launches: list[Launch], names: set[str], earlier: list[Trial], stop_after: int | None = None) -> list[Trial]:
    """Measures what is missing, up to so many trials; earlier records and the new ones."""
    records = list(earlier)
    answered = Answered(ATTEMPTS, names, earlier)
    left = count() if stop_after is None else range(stop_after)
    for launch in launches:
        for block in launch.blocks:
            for (planned, attempt), _ in zip(answered.waiting(block), left, strict=False):
                records.append(record(planned, len(records), attempt, lucky(planned, attempt)))
                answered.add(records[-1])
            if stop_after is not None and len(records) - len(earlier) >= stop_after:
                return records
    return records


def test_an_uninterrupted_run_measures_all_once_and_the_invalid_ones_again() -> None:
    launches, names = world()
    trials = finish(launches, names, [])
    keys = {planned.key() for launch in launches for planned in launch.trials() if planned.cell.strategy in names}
    assert {trial.key() for trial in trials} == keys
    for key in keys:
        tries = [trial for trial in trials if trial.key() == key]
        assert [trial.attempt for trial in tries] == list(range(len(tries)))
        assert tries[-1].valid or len(tries) == ATTEMPTS
    assert Answered(ATTEMPTS, names, trials).open(launches) == []


@pytest.mark.parametrize("seed", range(20))
def test_cut_anywhere_and_resumed_it_is_the_same_run(seed: int) -> None:
    launches, names = world()
    whole = finish(launches, names, [])
    draw = random.Random(seed)
    trials: list[Trial] = []
    while len(trials) < len(whole):
        trials = finish(launches, names, trials, draw.randrange(0, 4))
    assert trials == whole


def test_a_strategy_that_is_not_measured_is_not_missing() -> None:
    launches, _ = world()
    assert Answered(ATTEMPTS, set()).open(launches) == []

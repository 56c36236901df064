"""The gate's result: which outcome weighs most, exit codes, and the way there and back through JSON."""

import json
from itertools import permutations
from typing import get_args

import pytest
from pydantic import ValidationError

from authbench.errors import InvalidRunError, StackError, UsageError
from authbench.gate.decision import Outcome
from authbench.gate.result import EXIT_CODES, GateResult, worst
from tests.unit.gate.made import FULL, noisy_row, result, row

ORDER: tuple[Outcome, ...] = ("regression", "invalid", "inconclusive", "pass")


def test_the_worst_that_any_row_says_is_what_the_gate_says() -> None:
    for number, worse in enumerate(ORDER):
        for rest in permutations(ORDER[number:]):
            assert worst([*rest, "not compared"]) == worse


def test_nothing_compared_is_invalid() -> None:
    assert worst([]) == "invalid"
    assert worst(["not compared", "not compared"]) == "invalid"
    assert result().exit_code == 3
    assert result(row("not compared")).exit_code == 3


def test_outcomes_may_come_from_anything_that_can_be_read_once() -> None:
    assert worst(iter(["pass", "inconclusive"])) == "inconclusive"


@pytest.mark.parametrize(("outcome", "code"), [("pass", 0), ("regression", 1), ("invalid", 3), ("inconclusive", 5)])
def test_every_outcome_has_its_exit_code(outcome: Outcome, code: int) -> None:
    found = result(row(), row("not compared"), noisy_row(outcome))
    assert (found.outcome, found.exit_code) == (outcome, code)


def test_exit_codes_of_outcomes_are_nobody_elses() -> None:
    assert set(EXIT_CODES) == set(get_args(Outcome))
    assert EXIT_CODES["invalid"] == InvalidRunError.exit_code
    assert not {UsageError.exit_code, StackError.exit_code} & set(EXIT_CODES.values())


@pytest.mark.parametrize("found", [FULL, result(), result(noisy_row(), way="baseline")])
def test_what_is_written_is_what_is_read(found: GateResult) -> None:
    assert GateResult.model_validate_json(found.model_dump_json()) == found
    assert GateResult.model_validate(json.loads(found.model_dump_json(indent=1))).exit_code == found.exit_code


def test_an_unknown_key_or_outcome_is_refused() -> None:
    told = json.loads(FULL.model_dump_json())
    with pytest.raises(ValidationError):
        GateResult.model_validate({**told, "more": 1})
    told["rows"][0]["outcome"] = "fine"
    with pytest.raises(ValidationError):
        GateResult.model_validate(told)


def test_the_same_with_another_outcome_is_another_row() -> None:
    first = noisy_row()
    second = first.but("invalid", "the twin is off")
    assert (second.outcome, second.why) == ("invalid", "the twin is off")
    assert (first.outcome, first.why) == ("pass", "both stages lie above +3 %")
    assert second.ratio == first.ratio

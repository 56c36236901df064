"""What a run that may not be believed tells its user to change."""

import pytest

from authbench.analysis.advice import ADVICE, unranked, what_to_change, why_invalid
from authbench.analysis.summary import summarise
from authbench.analysis.validity import CODES
from authbench.records import Reason
from tests.unit.analysis.synthetic import TRUTHS, World, make


def summary_of(**world):
    manifest, trials, _ = make(World(launches=2, truths=TRUTHS[:3], **world))
    return summarise(manifest, trials)


def test_every_code_has_one_sentence_and_no_other_has():
    assert set(ADVICE) == set(CODES)
    for sentence in ADVICE.values():
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert sentence[0].isupper()


def test_a_valid_run_needs_none():
    assert why_invalid(summary_of()) is None


def test_a_trial_that_was_measured_again_spoils_nothing():
    summary = summary_of(broken=frozenset({0}))

    assert summary.invalid
    assert why_invalid(summary) is None
    assert what_to_change(summary) == ()


def test_a_strategy_that_lost_its_blocks_is_named_with_what_to_change():
    summary = summary_of(stuck=frozenset({"session-db-claims"}))

    assert unranked(summary) == ("session-db-claims",)
    first, *lines = why_invalid(summary).splitlines()
    assert "session-db-claims" in first
    assert lines == [f"  {line}" for line in what_to_change(summary)]
    assert all(ADVICE["steal"] in line for line in lines)


def test_nothing_valid_at_all():
    manifest, trials, _ = make(World(launches=2, truths=TRUTHS[:3]))
    spoiled = [trial.model_copy(update={"reasons": (Reason(code="steal", message="…"),)}) for trial in trials]
    told = why_invalid(summarise(manifest, spoiled))

    assert told.startswith("measured but invalid: no trial counts")
    assert f"steal ({len(trials)} trials): {ADVICE['steal']}" in told


@pytest.mark.parametrize(
    ("answers", "code", "valid"),
    [
        (("connections_peak", "statements_per_request"), "cpu-contended", True),
        (("connections_peak", "cpu_ms_per_request"), "cpu-contended", False),
        (("connections_peak",), "errors", False),
        ((), "cpu-contended", False),
    ],
)
def test_a_scenario_of_counts_alone_is_answered_on_a_busy_machine_too(answers, code, valid):
    manifest, trials, _ = make(World(launches=2, truths=TRUTHS[:3]))
    spoiled = [trial.model_copy(update={"reasons": (Reason(code=code, message="…"),)}) for trial in trials]
    question = manifest.question.model_copy(update={"answers": answers})
    summary = summarise(manifest.model_copy(update={"question": question}), spoiled)

    assert (why_invalid(summary) is None) == valid


def test_a_strategy_that_failed_verification_was_never_to_be_ranked():
    summary = summary_of(rejected=frozenset({"session-db-claims"}))

    assert unranked(summary) == ()


def test_a_run_without_any_trial_is_invalid():
    manifest, _, _ = make(World(launches=2, truths=TRUTHS[:3]))

    assert why_invalid(summarise(manifest, [])).startswith("measured but invalid: no trial counts")

"""The whole analysis against a world whose truth is known."""

import pytest

from authbench.analysis.summary import summarise
from authbench.records import Reason
from tests.unit.analysis.synthetic import TRUTHS, World, changed, make

DEFAULT = World()
TRUE_MS = {truth.name: truth.total_ms for truth in TRUTHS}


def summary(world=DEFAULT):
    manifest, trials, _ = make(world)
    return summarise(manifest, trials)


def only(world=DEFAULT):
    (comparison,) = summary(world).comparisons
    return comparison


def test_ratios_to_the_reference_hold_the_truth():
    comparison = only(World(launches=10, seed=3))
    hits = [
        row.to_reference.low <= TRUE_MS[row.strategy] / TRUE_MS["session-db"] <= row.to_reference.high
        for row in comparison.rows
        if row.to_reference
    ]

    assert len(hits) == 9
    assert sum(hits) >= 8


def test_the_order_is_that_of_the_truth_where_the_run_can_tell():
    comparison = only(World(launches=12))
    order = [name for group in comparison.groups for name in group]

    assert [row.strategy for row in comparison.rows] == ["none", *order]
    place = {name: number for number, group in enumerate(comparison.groups) for name in group}
    assert all(
        place[first] <= place[second] for first in place for second in place if TRUE_MS[first] < 0.97 * TRUE_MS[second]
    )


def test_tiers_add_up_to_the_total():
    for row in only().rows:
        parts = sum(part.value for part in row.cpu_ms_by_tier.values())

        assert parts == pytest.approx(row.cpu_ms.value, rel=2e-3)


def test_roles_and_verdicts():
    comparison = only()

    assert comparison.row("none").rank is None
    assert comparison.row("none").verdict is None
    assert comparison.row("session-db").verdict is None
    assert comparison.row("session-db").rank == 9
    assert comparison.row("jwt-hs256").verdict.word == "better"


def test_the_same_strategy_twice_is_no_better_than_itself():
    twin = {**TRUTHS[1].__dict__, "name": "again", "twin": None}
    truths = (TRUTHS[0], TRUTHS[1], type(TRUTHS[1])(**twin))

    assert only(World(truths=truths, launches=40)).row("again").verdict.word == "equivalent"
    assert only(World(truths=truths, launches=3)).row("again").verdict.word in ("inconclusive", "equivalent")


def test_pairs_keep_the_place_and_the_user_row_apart():
    pairs = {pair.location: pair for pair in only(World(launches=10)).pairs}

    assert {(pair.claims, pair.row) for pair in pairs.values()} == {
        ("jwt-hs256", "jwt-row"),
        ("session-cache-claims", "session-cache"),
        ("session-db-claims", "session-db"),
    }
    database = pairs["database"]
    assert database.user_row_ms.value == pytest.approx(TRUE_MS["session-db"] - TRUE_MS["session-db-claims"], abs=0.03)
    assert database.location_ms.value == pytest.approx(TRUE_MS["session-db-claims"] - TRUE_MS["none"], abs=0.03)


def test_counts_come_through_exactly():
    row = only().row("session-cache")

    assert (row.statements_per_request, row.cache_commands_per_request, row.transactions_per_request) == (1, 1, 1)
    assert (row.credential_bytes, row.connections_peak) == (61, 8)


def test_the_launch_noise_is_found_again():
    found = summary(World(launches=40))

    assert found.launch_noise == pytest.approx((0.015**2 + 0.01**2) ** 0.5, rel=0.25)


def test_a_trial_that_was_measured_again_costs_nothing():
    found = summary(World(broken=frozenset({3, 9})))

    assert len(found.invalid) == 2
    assert all(trial.measured_again for trial in found.invalid)
    assert {row.verdict.word for row in found.comparisons[0].rows if row.verdict} == {"better"}


def test_what_stayed_invalid_is_never_ranked():
    found = summary(World(stuck=frozenset({"jwt-row"})))
    row = found.comparisons[0].row("jwt-row")

    assert (row.verdict.word, row.rank) == ("invalid", None)
    assert "steal" in row.verdict.why
    assert "jwt-row" not in [name for group in found.comparisons[0].groups for name in group]
    assert "unresolved-block" in {caution.code for caution in found.cautions}


def test_where_the_reference_stayed_invalid_nothing_is_compared_with_it():
    comparison = only(World(stuck=frozenset({"session-db"})))

    assert {row.verdict.word for row in comparison.rows if row.role == "strategy"} == {"invalid"}
    assert comparison.row("jwt-hs256").rank == 2
    assert comparison.row("session-db").rank is None


def test_a_contender_that_failed_verification_is_listed_and_not_ranked():
    found = summary(World(rejected=frozenset({"session-file"})))

    assert [(row.strategy, row.verdict.word) for row in found.rejected] == [("session-file", "invalid")]
    assert found.rejected[0].problems
    assert found.comparisons[0].row("session-file") is None
    assert "session-file" in found.answer[2].text


def test_one_launch_ranks_nothing_and_says_so():
    found = summary(World(launches=1))

    assert len(found.comparisons[0].groups) == 1
    assert {row.verdict.word for row in found.comparisons[0].rows if row.verdict} == {"inconclusive"}
    assert "too wide to rank" in found.answer[0].text
    assert found.answer[0].certainty == "open"


def test_few_launches_make_no_firm_sentence():
    assert {line.certainty for line in summary(World(launches=3)).answer} == {"tentative"}
    assert {line.certainty for line in summary(World(launches=6)).answer} == {"firm"}


def test_without_reference_there_is_an_order_and_no_verdict():
    comparison = only(World(truths=tuple(t for t in TRUTHS if t.name != "session-db")))

    assert {row.verdict.word for row in comparison.rows if row.verdict} == {"inconclusive"}
    assert comparison.row("session-cookie-claims").rank == 1


def test_without_any_valid_trial_the_answer_is_that_there_is_none():
    manifest, trials, _ = make(World(stuck=frozenset(TRUE_MS), loads=("saturate",)))
    found = summarise(manifest, trials)

    assert "cannot say" in found.answer[0].text
    assert summarise(manifest, []).answer[0].certainty == "open"


def test_workloads_are_compared_apart_in_the_scenarios_order():
    found = summary(World(workloads=("whoami", "orders")))

    assert [comparison.levels["workload"] for comparison in found.comparisons] == ["whoami", "orders"]
    assert found.comparisons[1].row("session-db").statements_per_request == 3


def test_statements_that_verification_did_not_count_are_told():
    manifest, trials, _ = make()
    odd = [changed(t, database={**t.database.model_dump(), "statements": 5000}) for t in trials]

    assert "statements-differ" in {caution.code for caution in summarise(manifest, odd).cautions}
    assert "statements-differ" not in {caution.code for caution in summary().cautions}


def test_missing_launches_are_told():
    manifest, trials, _ = make()
    cut = [t for t in trials if t.launch < 4]

    assert "missing-launches" in {caution.code for caution in summarise(manifest, cut).cautions}


def test_a_summary_survives_json():
    found = summary()

    assert type(found).model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(("lost", "word"), [(2, "better"), (3, "invalid")])
def test_a_strategy_may_lose_a_third_of_its_blocks(lost: int, word: str):
    """Two of six launches spoilt by the machine are left out and named; of three, nothing may be said."""
    manifest, trials, _ = make()
    steal = Reason(code="steal", message="steal 20 %, over 2 %")
    spoilt = [
        trial.model_copy(update={"reasons": (steal,)})
        if trial.strategy == "jwt-hs256" and trial.load.model == "saturate" and trial.launch < lost
        else trial
        for trial in trials
    ]
    row = summarise(manifest, spoilt).comparisons[0].row("jwt-hs256")
    assert row is not None
    assert row.verdict is not None
    assert row.verdict.word == word
    assert row.cpu_ms is not None
    assert row.cpu_ms.n == 6 - lost

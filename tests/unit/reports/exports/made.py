"""Cases and summaries for the tests of exports."""

from hypothesis import strategies as st

from authbench.analysis.findings import Summary
from authbench.analysis.summary import summarise
from authbench.records import Trial
from reports.exports.case import WORST_FIRST, Case
from tests.unit.analysis.synthetic import TRUTHS, World, make

# Two launches of five strategies; one failed verification, one stayed invalid at every attempt.
MIXED = World(
    launches=2,
    truths=TRUTHS[:5],
    stuck=frozenset({"session-db-claims"}),
    rejected=frozenset({"session-cache"}),
)

ANY_TEXT = st.text(st.characters(codec=None), max_size=40)  # lone surrogates and control characters too
ANY_CASE = st.builds(
    Case,
    suite=ANY_TEXT,
    name=ANY_TEXT,
    outcome=st.sampled_from(WORST_FIRST),
    message=ANY_TEXT,
    details=ANY_TEXT,
    properties=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=2),
    seconds=st.none() | st.floats(0, 1e6),
)

FOUR = (
    Case("whoami", "jwt", "passed", "better: 0.64×", "CPU a request 0.7 ms\n6 launches", {"verdict": "better"}, 1.5),
    Case("whoami", "page", "inconclusive", "inconclusive: the interval holds 1"),
    Case("orders", "file", "invalid", "invalid: no valid trial", "steal in trial 3"),
    Case("whoami", "row", "failed", "5 % slower"),
)


def found(world: World = MIXED) -> tuple[Summary, tuple[Trial, ...]]:
    """Findings and records of that world."""
    manifest, trials, _ = make(world)
    return summarise(manifest, trials), trials

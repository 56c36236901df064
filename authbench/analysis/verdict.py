"""What a comparison says: better, worse, equivalent, inconclusive or invalid, and why.

In this order, for a ratio to the reference with its 95 % interval:

- `invalid`: a side has blocks that stayed invalid, or did not pass verification;
- `inconclusive`: fewer than two launches, so that there is no test;
- `equivalent`: the whole interval lies within 1 ± margin (two one-sided tests, Schuirmann 1987, each at 2.5 %), however
  significant the difference is: it is too small to matter. Each comparison by itself: over k comparisons that all lie
  at the margin up to k times 2.5 % are called so;
- `better` or `worse`: the interval excludes 1, Holm's p (over all comparisons of that metric in the run) is below
  0.05, and the ratio itself lies outside the margin;
- `inconclusive`: everything else. No difference found is not the same as none.
"""

from collections.abc import Sequence
from typing import Literal

from statsmodels.stats.multitest import multipletests

from authbench.analysis.estimate import Ratio
from authbench.metric import Better
from authbench.records import Frozen

ALPHA = 0.05
VerdictWord = Literal["better", "worse", "equivalent", "inconclusive", "invalid"]


class Verdict(Frozen):
    """The word, the sentence behind it, and the two p-values (None where there was no test)."""

    word: VerdictWord
    why: str
    p_holm: float | None = None
    p_equivalence: float | None = None


def invalid(why: str) -> Verdict:
    """The verdict of a comparison that may not be made."""
    return Verdict(word="invalid", why=why)


def judge(
    ratio: Ratio | None, p_holm: float | None, margin: float, better: Better, missing: str = "no block holds both sides"
) -> Verdict:
    """The verdict on a ratio whose p-value was corrected before (`holm`). `missing`: why there is no ratio."""
    if ratio is None:
        return Verdict(word="inconclusive", why=missing)
    if ratio.low is None or ratio.high is None or p_holm is None:
        return Verdict(word="inconclusive", why=f"{ratio.n} launch: an interval needs two")
    p_equivalence = equivalence_p(ratio, margin)
    low, high = 1 - margin, 1 + margin
    word: VerdictWord
    if low <= ratio.low and ratio.high <= high:
        word, why = "equivalent", f"the whole interval lies within ±{100 * margin:.0f} %"
    elif not ratio.excludes(1):
        word, why = "inconclusive", f"the interval holds both 1 and differences over {100 * margin:.0f} %"
    elif p_holm >= ALPHA:
        word, why = "inconclusive", f"not significant among all comparisons (Holm's p = {p_holm:.2g})"
    elif low <= ratio.value <= high:
        word, why = "inconclusive", f"a difference, but it may be smaller than {100 * margin:.0f} %"
    else:
        word = "better" if (ratio.value < 1) == (better == "lower") else "worse"
        why = f"outside ±{100 * margin:.0f} %, Holm's p {'< 0.001' if p_holm < 0.001 else f'= {p_holm:.2g}'}"
    return Verdict(word=word, why=why, p_holm=p_holm, p_equivalence=p_equivalence)


def equivalence_p(ratio: Ratio, margin: float) -> float | None:
    """p of two one-sided tests against 1 ± margin: the larger of the two. None where there is no test."""
    above = ratio.p_value(1 - margin, "above")
    below = ratio.p_value(1 + margin, "below")
    return None if above is None or below is None else max(above, below)


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's step-down correction (Holm 1979) over a family; None stands for a test that could not be done.

    Such a test is no member of the family: it can reject nothing, so that it costs the others nothing.
    """
    known = [p for p in p_values if p is not None]
    if not known:
        return tuple(p_values)
    adjusted = iter(multipletests(known, alpha=ALPHA, method="holm")[1].tolist())
    return tuple(None if p is None else float(next(adjusted)) for p in p_values)

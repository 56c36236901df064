"""How findings are put in words, wherever sentences are made."""

from collections.abc import Sequence

from authbench.analysis.bootstrap import FEWEST_LAUNCHES
from authbench.analysis.findings import Certainty


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; at least one name."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def certainty_of(launches: int) -> Certainty:
    """How certain a sentence is whose figures are of so many launches: firm from six on, open where none counts."""
    return "firm" if launches >= FEWEST_LAUNCHES else "tentative" if launches else "open"

"""The answer of a run that loads nothing: what the strategies buy, in three sentences computed from the findings."""

from collections.abc import Sequence

from authbench.analysis.findings import Sentence
from authbench.semantics.findings import Semantics


def bought(rows: Sequence[Semantics]) -> tuple[Sentence, ...]:
    """Whose logout ends a copied credential; who obeys an administrator; how it was looked at."""
    obedient = [row.strategy for row in rows if row.obeyed["logout"].after_s is not None]
    copied = [row.strategy for row in rows if "read" in row.stolen_after_logout]
    administered = [
        row.strategy
        for row in rows
        if all(row.obeyed[event].after_s is not None for event in ("deactivation", "permission change"))
    ]
    measured = all(obeyed.within_s for row in rows for obeyed in row.obeyed.values())
    failing = [row.strategy for row in rows if row.problems]
    certainty = "firm" if measured and rows else "tentative"
    how = f"Each event was looked for every {rows[0].poll_s * 1000:.0f} ms on every replica" if rows else "Nothing was"
    return (
        Sentence(
            text=f"After a logout, {len(obedient)} of {len(rows)} strategies refuse a copied credential on every "
            f"replica, and {len(copied)} let it in: {_some(copied)}.",
            certainty=certainty,
        ),
        Sentence(
            text=f"{len(administered)} of {len(rows)} obey both a deactivated user and a permission taken away: "
            f"{_some(administered)}.",
            certainty=certainty,
        ),
        Sentence(
            text=f"{how}; {len(failing)} did what no strategy may do{f': {_some(failing)}' if failing else ''}.",
            certainty=certainty,
        ),
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"

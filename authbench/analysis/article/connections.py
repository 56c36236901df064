"""Claim: sessions in the database double the database connections."""

from collections.abc import Sequence

from authbench.analysis.article.claim import Claim, Evidence, Ruling, not_measured
from authbench.metric import METRICS
from authbench.records import Trial

NAME = "twice the connections"
CLAIM = "Sessions kept on the server double the database connections."
SECTION = "separate-store"
SESSION, TOKEN_WITH_ROW, TOKEN = "session-db", "jwt-row", "jwt-es256"
DOUBLE = 1.9  # peaks are whole numbers: twice, but for a thread that never had a request


def doubled_connections(evidence: Evidence) -> Claim:
    """Compares peaks of one run: sessions beside users, sessions on a server of their own, and tokens."""
    beside, apart = _peak(evidence, SESSION, "shared"), _peak(evidence, SESSION, "separate")
    row, token = _peak(evidence, TOKEN_WITH_ROW, "shared"), _peak(evidence, TOKEN, "shared")
    if beside is None or apart is None or row is None or not beside:
        return not_measured(NAME, CLAIM, SECTION)
    per_request = {
        name: _mean(_values(evidence, name, "shared", "statements_per_request"))
        for name in (SESSION, TOKEN_WITH_ROW, TOKEN)
    }
    measured = (
        f"{SESSION} held {beside:.0f} connections at the peak with the session table beside the users and {apart:.0f} "
        f"with a server for it alone ({apart / beside:.1f} times); {TOKEN_WITH_ROW}, which reads the user row but no "
        f"session, held {row:.0f}"
    )
    if token is not None:
        measured += f", {TOKEN} {token:.0f}"
    told = [f"{name} {value:g}" for name, value in per_request.items() if value is not None]
    measured += f". SQL statements a request: {', '.join(told)}."
    ruling: Ruling
    when = ""
    if apart / beside < DOUBLE:
        ruling = "does not hold"
    elif row and beside / row >= DOUBLE:
        ruling = "holds"
    else:
        ruling = "holds only when"
        when = (
            "the session table has a server of its own and the user row is read as well; in one database both "
            "statements of a request share one connection, and what doubles is the statements"
        )
    launches = len({trial.launch for trial in evidence.trials if trial.cell.get("session_store") == "separate"})
    return Claim(
        name=NAME, claim=CLAIM, ruling=ruling, when=when, measured=measured, section=SECTION, launches=launches
    )


def _peak(evidence: Evidence, strategy: str, store: str) -> float | None:
    return max(_values(evidence, strategy, store, "connections_peak"), default=None)


def _values(evidence: Evidence, strategy: str, store: str, metric: str) -> list[float]:
    values = [METRICS[metric].of(trial) for trial in _trials(evidence.trials, strategy, store)]
    return [value for value in values if value is not None]


def _trials(trials: Sequence[Trial], strategy: str, store: str) -> list[Trial]:
    return [t for t in trials if t.strategy == strategy and t.cell.get("session_store") == store]


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None

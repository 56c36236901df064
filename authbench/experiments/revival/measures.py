"""What the experiment observes, each once."""

from authbench.observed import Measure

# Of logouts, by what their client was told.
LOGOUTS = Measure("logouts", "logouts sent", "logouts", exact=True, better="neither")
ACKNOWLEDGED = Measure("acknowledged", "logouts answered 200", "logouts", exact=True, better="neither")
REFUSED = Measure("refused", "logouts answered 401 or 403", "logouts", exact=True, better="neither")
FAILED = Measure("failed", "logouts answered 5xx", "logouts", exact=True, better="neither")
UNKNOWN = Measure("unknown", "logouts without an answer", "logouts", exact=True, better="neither")

# Of the same logouts, afterwards.
REVIVED = Measure("revived", "acknowledged logouts whose credential is accepted", "logouts", exact=False)
ALIVE = Measure(
    "still_accepted", "other logouts whose credential is accepted", "logouts", exact=False, better="neither"
)
FORGOTTEN = Measure("forgotten", "of those, dropped by the client as the answer told it", "logouts", exact=False)
OLDEST_MS = Measure("oldest_revived_ms", "longest from an undone logout's 200 to the crash", "ms", exact=False)

# Of users who did not log out.
OTHERS = Measure("others", "users who did not log out", "users", exact=True, better="neither")
OTHERS_IN = Measure("others_accepted", "of those, still logged in", "users", exact=False, better="higher")

# Of two requests with one credential at once.
RENEWED = Measure(
    "revived_renewed",
    "acknowledged logouts, after which the other request's new credential is accepted",
    "logouts",
    exact=False,
)
OTHER_OK = Measure(
    "other_ok", "requests beside a logout that were answered 2xx", "requests", exact=False, better="neither"
)
BOTH = Measure("both_accepted", "pairs of which both requests were accepted", "pairs", exact=False)
ONE = Measure("one_accepted", "pairs of which one request was accepted", "pairs", exact=False, better="neither")
PAIRS = Measure("pairs", "pairs of requests", "pairs", exact=True, better="neither")
LIVING = Measure("living", "credentials accepted after the pairs", "credentials", exact=False, better="neither")
WAITED = Measure(
    "waited", "of those, the second waited for a lock of the first's", "pairs", exact=True, better="neither"
)
MISSED = Measure(
    "missed", "interleavings that came out otherwise, and do not count", "interleavings", exact=False, better="neither"
)

MEASURES: tuple[Measure, ...] = (
    *(LOGOUTS, ACKNOWLEDGED, REFUSED, FAILED, UNKNOWN, REVIVED, ALIVE, FORGOTTEN, OLDEST_MS, OTHERS, OTHERS_IN),
    *(RENEWED, OTHER_OK, BOTH, ONE, PAIRS, LIVING, WAITED, MISSED),
)

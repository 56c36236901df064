"""What the experiment observes of one strategy under one fault, each once."""

from authbench.observed import Measure

KIND = "faults"
TIMELINE = "timeline"  # name of the series: outcomes a bin of time, as `timeline.py` writes them

BEFORE = Measure(
    "ok_before_share", "answered right before the fault", "share of requests", exact=False, better="higher"
)
DURING = Measure("ok_during_share", "answered right in the fault", "share of requests", exact=False, better="higher")
AFTER = Measure("ok_after_share", "answered right after the fault", "share of requests", exact=False, better="higher")
LASTED = Measure("lasted_s", "the fault lasted", "s", exact=False, better="neither")
# From the fault's end; None: not within what was watched.
RECOVERED = Measure("recovered_s", "until every answer is right again", "s", exact=False)
ANSWERING = Measure("answering_s", "until every request is answered again", "s", exact=False)
# Median of right answers, from when they were due.
TOOK_BEFORE = Measure("took_before_ms", "median answer before the fault", "ms", exact=False)
TOOK_DURING = Measure("took_during_ms", "median answer in the fault", "ms", exact=False)

USERS = Measure("users", "users", "users", exact=True, better="neither")
LOGGED_OUT = Measure("logged_out", "users who have to log in again", "users", exact=False)
# Her client was told to delete the cookie of a login that the server still knows.
FORGOTTEN = Measure("forgotten", "of them, whose login the server still knows", "users", exact=False)
DELETED = Measure("deleted", "users whose cookie an answer deleted", "users", exact=False)

SENT = Measure("sent", "requests", "requests", exact=False, better="neither")
OK = Measure("ok", "answered right", "requests", exact=False, better="higher")
REFUSED = Measure("refused", "refused though the login was good", "requests", exact=False)
FAILED = Measure("failed", "failed", "requests", exact=False)
UNKNOWN = Measure("unknown", "not answered", "requests", exact=False)
OF_ANOTHER = Measure("wrong_user", "answered with another user's data", "requests", exact=True)

ACKNOWLEDGED = Measure("acknowledged", "orders acknowledged", "orders", exact=False, better="neither")
LOST = Measure("lost", "acknowledged orders lost", "orders", exact=True)
UNTOLD = Measure("untold", "orders made though the client was not told", "orders", exact=False)
# Of users who are let in at the end, and whose preferences were all answered: what is kept with their login.
KEPT = Measure("kept", "preferences acknowledged last", "users", exact=False, better="neither")
KEPT_LOST = Measure("kept_lost", "acknowledged preferences lost", "users", exact=False)

MEASURES: tuple[Measure, ...] = (
    BEFORE,
    DURING,
    AFTER,
    LASTED,
    RECOVERED,
    ANSWERING,
    TOOK_BEFORE,
    TOOK_DURING,
    USERS,
    LOGGED_OUT,
    FORGOTTEN,
    DELETED,
    SENT,
    OK,
    REFUSED,
    FAILED,
    UNKNOWN,
    OF_ANOTHER,
    ACKNOWLEDGED,
    LOST,
    UNTOLD,
    KEPT,
    KEPT_LOST,
)

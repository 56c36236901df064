"""What the experiment observes, each once; all of one strategy, way and page in one launch."""

from authbench.observed import Measure

REQUESTS = Measure("requests", "requests of logged-in users", "requests", exact=False, better="neither")
WRONGLY = Measure("wrongly_refused", "requests wrongly refused", "requests", exact=False)
RIGHTLY = Measure("refused_after_drop", "requests with the old key refused after it", "requests", exact=False)
FAILED = Measure("failed", "requests failed", "requests", exact=False)
UNKNOWN = Measure("unknown", "requests without an answer", "requests", exact=False)
LOGINS = Measure("logins", "logins with a password", "logins", exact=False, better="neither")
RENEWED = Measure("renewed", "logins renewed before the old key was dropped", "users", exact=False, better="higher")
RENEWING = Measure("users_renewing", "users who renew where they can", "users", exact=True, better="neither")
KEEPING = Measure("users_keeping", "users who keep what they have", "users", exact=True, better="neither")
OUT_RENEWING = Measure("logged_out_renewing", "renewing users who had to log in again", "users", exact=False)
OUT_KEEPING = Measure("logged_out_keeping", "keeping users who had to log in again", "users", exact=False)
OUT_NEW = Measure("logged_out_new", "users who had just logged in and had to log in again", "users", exact=False)
MIXED = Measure("mixed_s", "time with replicas that differ", "s", exact=False)
OLD_REFUSED = Measure("old_refused_s", "time from the drop until every replica refuses the old key", "s", exact=False)

MEASURES: tuple[Measure, ...] = (
    REQUESTS,
    WRONGLY,
    RIGHTLY,
    FAILED,
    UNKNOWN,
    LOGINS,
    RENEWED,
    RENEWING,
    KEEPING,
    OUT_RENEWING,
    OUT_KEEPING,
    OUT_NEW,
    MIXED,
    OLD_REFUSED,
)
TIMELINE = "timeline"  # among an observation's histograms: what `timeline.Timeline` writes

"""What the experiment observes, each once."""

from authbench.observed import Measure

# Of one strategy, store, method and event.
LOGGED_OUT = Measure("logged_out_share", "users logged out", "share of users", exact=False)
REFUSED = Measure("refused_share", "requests refused", "share of requests", exact=False)
MOVED = Measure("moved_share", "users answered by another replica", "share of users", exact=False)
BUSIEST = Measure("busiest_share", "requests at the busiest replica", "share of requests", exact=False)
USERS = Measure("users", "users who logged in", "users", exact=True, better="neither")

# Of one strategy under one method at one rate.
OFFERED = Measure("offered_rps", "requests offered", "requests/s", exact=False, better="neither")
ACHIEVED = Measure("achieved_rps", "right answers", "requests/s", exact=False, better="higher")
P50 = Measure("latency_p50_ms", "median latency", "ms", exact=False)
P99 = Measure("latency_p99_ms", "p99 latency", "ms", exact=False)
BUSY = Measure("stack_busy_share", "busy share of the stack's cores", "share", exact=False, better="neither")
LATENCY = "latency"  # its histogram, to be merged over launches

MEASURES: tuple[Measure, ...] = (LOGGED_OUT, REFUSED, MOVED, BUSIEST, USERS, OFFERED, ACHIEVED, P50, P99, BUSY)

"""What the experiment observes, each once, by the levels that tell its observations apart.

Stored (strategy, rows, expired, stage), loaded (strategy, rows, expired, cleaning), logins (strategy, endpoint), calm
and storm (strategy, in_flight; 0 is calm).
"""

from typing import Literal

from authbench.observed import Measure

KIND = "growth"
# Filled and vacuumed as after months of use; ended logins deleted; VACUUM; VACUUM FULL, which rebuilds the indexes too.
Stage = Literal["grown", "deleted", "vacuumed", "rewritten"]
STAGES: tuple[Stage, ...] = ("grown", "deleted", "vacuumed", "rewritten")
LATENCY = "latency"  # name of the histogram, from the intended start

STORED = (
    Measure("stored", "logins in the store", "rows", exact=True, better="neither"),
    Measure("heap_bytes", "table", "bytes", exact=False),
    Measure("index_bytes", "its indexes", "bytes", exact=False),
    Measure("total_bytes", "table and indexes", "bytes", exact=False),
    Measure("dead_rows", "dead rows", "rows", exact=False),
    Measure("row_bytes", "bytes a stored login", "bytes", exact=False),
    Measure("keys", "keys in the cache", "keys", exact=True, better="neither"),
    Measure("memory_bytes", "cache memory", "bytes", exact=False),
    Measure("key_bytes", "cache memory a key", "bytes", exact=False),
    Measure("seconds", "time the step took", "s", exact=False),
    Measure("statements", "statements of the cleaning", "statements", exact=True),
    Measure("removed", "rows removed", "rows", exact=True, better="neither"),
)
LOADED = (
    Measure("cpu_ms", "CPU a request, closed model", "ms", exact=False),
    Measure("db_ms", "of that the database's", "ms", exact=False),
    Measure("blocks", "blocks read a request", "blocks", exact=False),
    Measure("outside", "of those outside shared buffers", "blocks", exact=False),
    Measure("statements", "statements a request", "statements", exact=True),
    Measure("rate_cpu_ms", "CPU a request at the open rate, cleaning included", "ms", exact=False),
    Measure("rate_db_ms", "of that the database's", "ms", exact=False),
    Measure("p50_ms", "median latency", "ms", exact=False),
    Measure("users", "live logins that requests were sent with", "logins", exact=True, better="neither"),
    Measure("cleaned_share", "of the window that cleaning ran", "share", exact=False, better="neither"),
)
LOGINS = (
    Measure("cpu_ms", "CPU a login", "ms", exact=False),
    Measure("db_ms", "of that the database's", "ms", exact=False),
    Measure("per_second", "logins a second", "1/s", exact=False, better="higher"),
    Measure("statements", "statements a login", "statements", exact=True),
    Measure("written", "rows written a login", "rows", exact=True),
    Measure("commands", "cache commands a login", "commands", exact=True),
    Measure("iterations", "iterations of PBKDF2", "iterations", exact=True, better="neither"),
    Measure("hash_ms", "one hash alone", "ms", exact=False),
)
STORM = (
    Measure("p50_ms", "median latency of whoami", "ms", exact=False),
    Measure("offered_rps", "whoami requests a second, as planned", "1/s", exact=False, better="neither"),
    Measure("answered", "share of whoami answered", "share", exact=False, better="higher"),
    Measure("per_second", "logins a second meanwhile", "1/s", exact=False, better="higher"),
)
MEASURES: tuple[Measure, ...] = (*STORED, *LOADED, *LOGINS, *STORM)

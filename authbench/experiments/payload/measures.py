"""What the experiment observes, each once."""

from enum import IntEnum

from authbench.observed import Measure

# RFC 6265bis (draft-ietf-httpbis-rfc6265bis, 5.6 and 5.7): a cookie whose name and value together are longer is ignored
# by the browser. tests/browser/test_cookie_limit.py sees Chromium do so.
COOKIE_LIMIT_BYTES = 4_096
# Why CPU does not count, though the counts beside it do.
DISTURBED = frozenset({"steal", "cpu-contended", "unsteady", "littles-law"})


class Refuser(IntEnum):
    """Who answered, or closed, a request that was not let in."""

    NOBODY = 0  # it was let in
    BALANCER = 1  # nginx
    SERVER = 2  # the replica's HTTP server, before the application
    SHOP = 3  # the application itself


MEASURES: tuple[Measure, ...] = (
    Measure("credential_bytes", "credential a request", "B", exact=True),  # mean of all users; header line and its end
    Measure("header_bytes", "longest header line", "B", exact=True),  # the longest user's, line end included
    Measure("cookie_bytes", "longest cookie", "B", exact=True),  # its name and value; None where it is no cookie
    Measure("balancer_status", "status through the load balancer", "", exact=True, better="neither"),  # None: closed
    Measure("balancer_refuser", "refused by, through the load balancer", "", exact=True, better="neither"),  # Refuser
    Measure("replica_status", "status at a replica", "", exact=True, better="neither"),
    Measure("replica_refuser", "refused by, at a replica", "", exact=True, better="neither"),
    Measure("balancer_limit_bytes", "longest header line that passes the load balancer", "B", True, "higher"),
    Measure("replica_limit_bytes", "longest header line that passes at a replica", "B", True, "higher"),
    Measure("request_bytes", "request", "B", exact=True),  # as sent by the client, mean of all users
    Measure("answer_bytes", "answer", "B", exact=True),
    Measure("stored_bytes", "kept in the store a login", "B", exact=True),  # 0: no store keeps it
    Measure("loaded_bytes", "loaded from the store a request", "B", exact=True),
    Measure("requests", "requests in the window", "", exact=False, better="neither"),
    Measure("cpu_ms", "CPU a request", "ms", exact=False),  # of the whole stack
    Measure("cpu_ms_lb", "CPU a request, load balancer", "ms", exact=False),
    Measure("cpu_ms_app", "CPU a request, app", "ms", exact=False),
    Measure("cpu_ms_db", "CPU a request, database", "ms", exact=False),
    Measure("cpu_ms_cache", "CPU a request, cache", "ms", exact=False),
)

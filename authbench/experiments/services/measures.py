"""What the experiment observes of each way to check a caller, topology and launch, each once."""

from authbench.observed import Measure

KIND = "services"
VOID = frozenset({"errors", "wrong-user", "no-requests"})  # reasons against an observation's counts, not its times only
LATENCY = "latency"  # name of the histogram, from the intended start

# Exact: PostgreSQL's, the auth service's and the services' own counts over a known number of requests.
AUTH_CALLS = Measure("auth_calls", "auth-tier calls a user request", "calls", exact=True)
STATEMENTS = Measure("statements", "SQL statements at the auth database a user request", "statements", exact=True)
CHECKS = Measure("checks", "services that checked the caller, a user request", "checks", exact=True, better="neither")
HEADER_BYTES = Measure("header_bytes", "bytes of request headers a hop", "bytes", exact=True)
EDGE_BYTES = Measure("edge_bytes", "bytes of request headers at the gateway", "bytes", exact=True)
OPENED = Measure("opened", "connections opened between services in the windows", "connections", exact=False)
SENT = Measure("requests", "requests that the counts come from", "requests", exact=False, better="neither")

P50 = Measure("p50_ms", "median latency", "ms", exact=False)
CPU = Measure("cpu_ms", "CPU a user request", "ms", exact=False)
GATEWAY_CPU = Measure("gateway_cpu_ms", "of that the gateway's", "ms", exact=False)
SERVICES_CPU = Measure("services_cpu_ms", "of that the services'", "ms", exact=False)
AUTH_CPU = Measure("auth_cpu_ms", "of that the auth service's", "ms", exact=False)
DATABASE_CPU = Measure("db_cpu_ms", "of that the database's", "ms", exact=False)
DATABASE_CONNECTIONS = Measure("db_connections", "database connections held", "connections", exact=False)
KEPT = Measure("kept", "connections that a service was reached over, at most", "connections", exact=False)

EXACT: tuple[Measure, ...] = (AUTH_CALLS, STATEMENTS, CHECKS, HEADER_BYTES, EDGE_BYTES)
MEASURES: tuple[Measure, ...] = (
    *EXACT,
    OPENED,
    SENT,
    P50,
    CPU,
    GATEWAY_CPU,
    SERVICES_CPU,
    AUTH_CPU,
    DATABASE_CPU,
    DATABASE_CONNECTIONS,
    KEPT,
)

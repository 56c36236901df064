"""What the experiment observes, each once."""

from authbench.observed import Measure

# Why times and CPU do not count, though the counts beside them do.
DISTURBED = frozenset({"cpu-contended"})

# Of a strategy's first instance, started alone. A phase that did not occur is None.
COLD = Measure("cold_start_ms", "cold start", "ms", exact=False)  # from the bootstrap to the answer
INTERPRETER = Measure("cold_interpreter_ms", "interpreter and AWS's client", "ms", exact=False)
IMPORT = Measure("cold_import_ms", "importing modules", "ms", exact=False)  # whenever they are
DJANGO = Measure("cold_django_ms", "setting Django up", "ms", exact=False)
CONNECTION = Measure("cold_connection_ms", "first connections", "ms", exact=False)  # database, cache, auth service
KEYS = Measure("cold_keys_ms", "fetching keys", "ms", exact=False)
REQUEST = Measure("cold_request_ms", "the request itself", "ms", exact=False)
PHASES = (INTERPRETER, IMPORT, DJANGO, CONNECTION, KEYS, REQUEST)  # together `COLD`
COLD_CPU = Measure("cold_cpu_ms", "CPU of a cold start", "ms", exact=False)
FIRST = Measure("first_request_ms", "first request", "ms", exact=False)  # from the event's hand-over to the answer

# Of its requests afterwards, each after a thaw.
WARM = Measure("warm_p50_ms", "warm request, median", "ms", exact=False)
WARM_CPU = Measure("warm_cpu_ms", "CPU of a warm request", "ms", exact=False)

COLD_STATEMENTS = Measure("cold_statements", "SQL statements of a cold start", "", exact=True)
COLD_COMMANDS = Measure("cold_cache_commands", "cache commands of a cold start", "", exact=True)
COLD_CALLS = Measure("cold_auth_calls", "auth service's calls of a cold start", "", exact=True)
STATEMENTS = Measure("warm_statements", "SQL statements a warm request", "", exact=True)
COMMANDS = Measure("warm_cache_commands", "cache commands a warm request", "", exact=True)
CALLS = Measure("warm_auth_calls", "auth service's calls a warm request", "", exact=True)
OPENED = Measure("warm_connections_opened", "database connections opened a warm request", "", exact=True)

# Of a burst, and of the frozen instances after it.
INSTANCES = Measure("instances", "instances", "", exact=True)
COLD_STARTS = Measure("cold_starts", "cold starts of the burst", "", exact=True)
AT_ONCE = Measure("most_at_once", "most requests at once in an instance", "", exact=True)
HELD = Measure("held_connections", "database connections held", "", exact=True)
HELD_CACHE = Measure("held_cache_connections", "cache connections held", "", exact=True)
BURST = Measure("burst_ms", "slowest answer of the burst", "ms", exact=False)
RESIDENT = Measure("resident_mb", "resident memory an instance", "MB", exact=False)

# After the database has ended a frozen instance's connection.
HELD_BEFORE = Measure("held_before", "connections held before the timeout", "", exact=True)
HELD_AFTER = Measure("held_after", "connections held after the timeout", "", exact=True)
THAWED_STATUS = Measure("thawed_status", "status of the first request afterwards", "", exact=True, better="neither")
THAWED = Measure("thawed_ms", "the first request afterwards", "ms", exact=False)
NEXT_STATUS = Measure("next_status", "status of the one after it", "", exact=True, better="neither")

MEASURES: tuple[Measure, ...] = (
    *(COLD, *PHASES, COLD_CPU, FIRST, WARM, WARM_CPU),
    *(COLD_STATEMENTS, COLD_COMMANDS, COLD_CALLS, STATEMENTS, COMMANDS, CALLS, OPENED),
    *(INSTANCES, COLD_STARTS, AT_ONCE, HELD, HELD_CACHE, BURST, RESIDENT),
    *(HELD_BEFORE, HELD_AFTER, THAWED_STATUS, THAWED, NEXT_STATUS),
)

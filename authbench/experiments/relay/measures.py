"""What is observed of the relay, each once. `error`: how much longer an exchange took than without it, less what it
was set to; its quantiles are those of all exchanges, less the median of those without it.
"""

from authbench.observed import Measure

KIND = "relay"
NO_PRESSURE = "none"
# Histograms, in µs: exchanges without and through the relay, and how late the relay handed on what was due.
DIRECT, THROUGH, LATE = "direct", "through", "late"
MEASURES = (
    Measure("direct_p50_us", "an exchange without the relay, p50", "µs", exact=False),
    Measure("through_p50_us", "an exchange through the relay, p50", "µs", exact=False),
    Measure("error_p50_us", "error of the distance, p50", "µs", exact=False),
    Measure("error_p90_us", "error of the distance, p90", "µs", exact=False),
    Measure("error_p99_us", "error of the distance, p99", "µs", exact=False),
    Measure("early", "exchanges that took less than they were set to", "exchanges", exact=True),
    Measure(
        "pressed_rps", "exchanges a second that others made meanwhile", "exchanges/s", exact=False, better="higher"
    ),
    Measure(
        "exchanges", "exchanges that the relay counted, others' included", "exchanges", exact=False, better="neither"
    ),
)

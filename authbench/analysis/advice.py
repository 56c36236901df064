"""What to change when trials do not count: one sentence a reason code, and which strategies a run could not rank."""

from collections import Counter
from collections.abc import Mapping

from authbench.analysis.connections import NOISE
from authbench.analysis.findings import Summary
from authbench.metric import METRICS

ADVICE: Mapping[str, str] = {
    "generator-died": "Find out what ends the generator's process (out of memory, a limit, a person) and stop that.",
    "no-requests": "Look at why no connection to the load balancer was accepted; `authbench verify` says more.",
    "generator-late": "Give the generator a core that nothing else uses, or ask for a lower rate.",
    "generator-busy": "Ask for a lower rate with `--set load=saturate,rate@0.3`, or use a machine with faster cores.",
    "rate-not-reached": "Ask for a lower share of the capacity with `--set load=saturate,rate@0.3`.",
    "errors": "See in trials.jsonl under `failures` what went wrong, and mend it: errors are answered at another cost.",
    "wrong-user": "Do not use this strategy's numbers or the strategy: it answers for somebody else.",
    "unsteady": "Give each window more time with `--profile standard` or `thorough`, on a machine with less to do.",
    "littles-law": "Report it as a defect of authbench: rate, latency and requests in flight contradict each other.",
    "steal": "Use a machine whose cores are its own: the hypervisor gave this one's time to others.",
    "cpu-contended": "End the other programs that use this machine's cores, or run where there are none.",
    "replica-restarted": "Look at why a worker ended (memory, a crash) with `dmesg`, and run again.",
    "unfair-share": "Look at whether a replica hung or the balancer was set to sticky routing, and run again.",
    "uneven-replicas": "Look at what is different on the slow replica: its build, its settings, its core, its stores.",
    "orders-differ": "Do not use this strategy's numbers: orders that it acknowledged are missing, or there twice.",
    "counts-differ": "Keep others from sending requests to the stack while it is measured.",
    "credential-expires": "Measure less in one go: interrupt the run and go on with `--resume`, which mints anew.",
    "not-verified": "Run `authbench verify` and make the strategy pass before it is measured.",
}


def unranked(summary: Summary) -> tuple[str, ...]:
    """Strategies that were to be measured and may not be ranked, too many of their blocks being invalid.

    Those that failed verification are not among them: they were never to be measured.
    """
    rows = [row for comparison in summary.comparisons for row in comparison.rows]
    return tuple(dict.fromkeys(row.strategy for row in rows if row.verdict and row.verdict.word == "invalid"))


def why_invalid(summary: Summary) -> str | None:
    """Why the run as a whole is measured but invalid, and what to change: a line a reason. None where it is valid."""
    lost = unranked(summary)
    if not summary.question.factors.get("load", ("saturate",)):
        return None  # nothing was to be loaded
    if summary.valid and not lost:
        return None
    if _answered_by_counts(summary):
        return None
    named = f"too many measurements of {', '.join(lost)} stayed invalid" if summary.valid else "no trial counts"
    return "\n".join(
        (f"measured but invalid: {named}. What to change:", *(f"  {line}" for line in what_to_change(summary)))
    )


def _answered_by_counts(summary: Summary) -> bool:
    """Whether the scenario asks for counts alone, and nothing but noise is said against its windows."""
    asked = [METRICS[name] for name in summary.question.answers if name in METRICS]
    counts = bool(asked) and all(each.exact or each.name.startswith("connections_") for each in asked)
    said = {reason.code for trial in summary.invalid if not trial.measured_again for reason in trial.reasons}
    return counts and bool(summary.trials) and said <= NOISE


def what_to_change(summary: Summary) -> tuple[str, ...]:
    """A line a reason for which measurements stayed invalid, the most frequent first."""
    codes = Counter(
        code
        for trial in summary.invalid
        if not trial.measured_again
        for code in dict.fromkeys(reason.code for reason in trial.reasons)
    )
    return tuple(
        f"{code} ({count} trial{'' if count == 1 else 's'}): {ADVICE.get(code, 'see the report.')}"
        for code, count in sorted(codes.items(), key=lambda found: (-found[1], found[0]))
    )

"""How a row's standing is put in words: the same in terminal, HTML, Markdown and charts."""

from authbench.analysis.findings import Latency, Row
from reports.numbers import MISSING, ms


def rank(row: Row) -> str:
    """`4` or, where neighbours are too close to rank, `4=`; a dash for what is not ranked."""
    return "–" if row.rank is None else f"{row.rank}{'=' if row.tied else ''}"


def verdict(row: Row) -> str:
    """The verdict's word; the row's role where it is the measure itself."""
    if row.verdict is not None:
        return row.verdict.word
    return row.role


def why(row: Row) -> str:
    """The sentence behind the verdict."""
    if row.verdict is not None:
        return row.verdict.why
    return {"control": "no authentication: the zero of every comparison", "reference": "the one of every ratio"}.get(
        row.role, ""
    )


def stated(row: Row) -> Latency | None:
    """Latency at the lowest open-model rate measured: the rate that tables state."""
    return row.latency[0] if row.latency else None


def quantile(row: Row, name: str) -> str:
    """A quantile in ms at the stated rate; in brackets of doubt, `(4.2)`, where too few samples lie beyond it."""
    latency = stated(row)
    found = latency.quantiles.get(name) if latency else None
    if found is None:
        return MISSING
    return ms(found.value.value) if found.supported else f"({ms(found.value.value)})"


def freshness(row: Row) -> str:
    """`row`, `claims`, or a dash for the control."""
    return "–" if row.freshness == "none" else row.freshness


def printable(text: str) -> str:
    """The text without characters that move a terminal's cursor, change its colours or turn its direction."""
    return "".join(char if char.isprintable() else "?" for char in text)

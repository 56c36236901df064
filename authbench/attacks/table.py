"""The table of `authbench verify --security`: a strategy a line, a family a column, and a line for what broke."""

from collections.abc import Iterator, Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from authbench.attacks.findings import Finding

BROKEN, KNOWN, HELD, NOTHING = "[red]{} broken[/]", "[yellow]{} known[/]", "[green]{}[/]", "–"


def table_of(findings: Sequence[Finding]) -> Table:
    """Cells: how many requests were tried and held, or how many broke; a dash where there is nothing to attack."""
    families = list(dict.fromkeys(each.family for each in findings))
    table = Table("withstands", box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for family in families:
        table.add_column(family, justify="right")
    for strategy in dict.fromkeys(each.strategy for each in findings):
        own = [each for each in findings if each.strategy == strategy]
        table.add_row(strategy, *(_cell([each for each in own if each.family == family]) for family in families))
    return table


def broken_lines(findings: Sequence[Finding], known: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """What broke, a line each; what a strategy declares is told as known."""
    for each in findings:
        for line in each.lines(known.get(each.strategy, ())):
            yield f"[red]broken[/] {each.strategy}: {escape(line)}"
        for tried in each.broken:
            if (what := f"{each.attack}: {tried.sent}") in known.get(each.strategy, ()):
                yield f"[yellow]known[/] {each.strategy}: {escape(what)} (docs/strategies/{each.strategy}.md)"


def _cell(findings: Sequence[Finding]) -> str:
    outcomes = {each.outcome for each in findings}
    broken = sum(len(each.broken) for each in findings)
    if "broken" in outcomes:
        return BROKEN.format(broken)
    if "known" in outcomes:
        return KNOWN.format(broken)
    tried = sum(each.tried for each in findings)
    return HELD.format(tried) if tried else NOTHING

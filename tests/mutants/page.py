"""docs/trust.md, from docs/trust.json and the catalogue alone."""

from collections.abc import Iterator, Sequence

from tests.mutants.catalogue import MUTANTS
from tests.mutants.outcome import Good, Planted, Trust
from tests.mutants.tree import ROOT

TRUST_MD = ROOT / "docs" / "trust.md"
CONFIDENCE = 0.95
SHOWN = 180  # characters of a statement; trust.json holds more
HEAD = """# What the bench finds, and what it does not accuse

Who trusts a figure trusts that somebody would have noticed a wrong one. So defects are planted, one at a time, in a
copy of the app, and the real command is run on it: `authbench verify`, `run` or `gate`. A mutant counts as named only
where the command fails **and** one of its statements says what is wrong: the words are fixed beforehand, beside the
defect, in [tests/mutants](../tests/mutants/catalogue.py). To fail for another reason does not count.

This page is written by `python -m tests.mutants page` from [trust.json](trust.json), which holds what the commands
said. `python -m tests.mutants plant all` runs all of them again, `plant NAME` one, `good 20` the app as it is.
"""


def page(trust: Trust) -> str:
    """The whole page."""
    planted = {each.name: each for each in trust.planted}
    named = sum(each.named for each in planted.values())
    lines = [HEAD, f"**{named} of {len(MUTANTS)} mutants are named.** {_where(trust)}", ""]
    for kind, title in (("security", "Security"), ("correctness", "Correctness"), ("cost", "Cost")):
        lines += [f"## {title}", "", "| mutant | what it is | command | named | seconds |", "|---|---|---|---|--:|"]
        lines += [
            f"| `{m.name}` | {m.what} | `{m.command.shown}` | {_named(planted.get(m.name))} |"
            for m in MUTANTS.values()
            if m.kind == kind
        ]
        lines.append("")
    lines += ["## What was said", "", "The statement that names each, as it was printed.", ""]
    lines += [f"- `{each.name}`: {_quoted(each.statement)}" for each in trust.planted if each.named]
    lines += ["", *_unnamed(trust.planted), *_good(trust.good), *LIMITS]
    return "\n".join(lines).rstrip() + "\n"


LIMITS = (
    "## Limits",
    "",
    "- A mutant shows that one defect of a kind is found, not that every defect of that kind is.",
    "- `apps/contract` is what both the app and the bench read, so a defect there is out of reach: both would agree.",
    "- The gate allows 3 % by default, so exactly 3 % more CPU passes as it should; `cpu-3-percent-in-c` is measured",
    "  with `--max-regression 2%`, by instructions. By time alone so small a change takes as long as `authbench",
    "  calibrate` says for a machine.",
    "- Seconds are those of the machine that ran it, with whatever else it was doing; a quiet one takes a fraction.",
    "- What happens less than once in a run's requests is not seen by that run.",
)


def _where(trust: Trust) -> str:
    sources = sorted({each.source for each in trust.planted})
    days = sorted({each.utc[:10] for each in trust.planted})
    if not days:
        return "Nothing has been run yet."
    told = f"Run on {' and '.join(days)}" + (f" on {trust.machine}" if trust.machine else "")
    if len(sources) == 1:
        return f"{told}, all on one state of the source (`{sources[0]}`)."
    return f"{told}, on {len(sources)} states of the source; trust.json says which."


def _named(one: Planted | None) -> str:
    if one is None:
        return "not run | –"
    return f"{'yes' if one.named else '**no**'} | {one.seconds:.0f}"


def _quoted(text: str) -> str:
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()} …"
    return "`" + shown.replace("`", "'").replace("|", "¦") + "`"


def _unnamed(planted: Sequence[Planted]) -> Iterator[str]:
    missed = [each for each in planted if not each.named]
    if missed:
        yield from ("## Not named", "", "What the command said instead.", "")
        yield from (f"- `{each.name}` (exit code {each.exit_code}): {_quoted(each.statement)}" for each in missed)
        yield ""


def _good(good: Sequence[Good]) -> Iterator[str]:
    yield from ("## On the app without a defect", "")
    if not good:
        yield from ("Not run yet.", "")
        return
    yield from (
        "The same commands on a copy in which one remark differs. A machine that is not quiet makes a run invalid and",
        "a gate inconclusive; that accuses nobody, and is counted apart. The bound is the one-sided 95 % one",
        "(Clopper and Pearson) of the rate of false accusations.",
        "",
        "| command | runs | accused the app | at most | machine not quiet | seconds, median |",
        "|---|--:|--:|--:|--:|--:|",
    )
    for command in dict.fromkeys(each.command for each in good):
        mine = [each for each in good if each.command == command]
        wrong = sum(bool(each.raised) for each in mine)
        loud = sum(bool(each.machine) or each.exit_code in (3, 5) for each in mine)
        seconds = sorted(each.seconds for each in mine)[len(mine) // 2]
        bound = 100 * upper_bound(wrong, len(mine))
        yield f"| `{command}` | {len(mine)} | {wrong} | {bound:.1f} % | {loud} | {seconds:.0f} |"
    yield ""
    for each in good:
        if each.raised:
            yield f"- Round {each.round}, `{each.command}`, source `{each.source}`: {_quoted('; '.join(each.raised))}"
    if any(each.raised for each in good):
        yield ""


def upper_bound(wrong: int, runs: int) -> float:
    """The greatest rate at which so few of so many are still seen one time in twenty (Clopper and Pearson 1934)."""
    from scipy import stats

    return 1.0 if wrong >= runs else float(stats.beta.ppf(CONFIDENCE, wrong + 1, runs - wrong))

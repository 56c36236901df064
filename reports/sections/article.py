"""The article's claims as a table, first in the report of the scenario that tests them."""

from authbench.analysis.article.claim import Claim, Evidence, Ruling
from authbench.analysis.article.claims import SCENARIO, claims
from authbench.analysis.connections import readable
from authbench.analysis.findings import Sentence
from authbench.analysis.wording import certainty_of
from reports.sections.section import Found, Section, Table

ORDER: tuple[Ruling, ...] = ("holds", "holds only when", "does not hold", "not measured")


def claims_of(found: Found) -> tuple[Claim, ...]:
    """The rulings; none for any other scenario."""
    if found.manifest.question.name != SCENARIO:
        return ()
    return claims(Evidence(found.manifest, readable(found.trials), found.observations))


def section(found: Found) -> Section | None:
    """None for any other scenario."""
    if not (judged := claims_of(found)):
        return None
    rows = tuple((each.claim, each.measured, each.told) for each in judged)
    return Section(
        name="claims",
        title="The article's claims",
        sentences=tuple(_sentence(each) for each in judged),
        tables=(Table("Claim by claim", ("claim", "what was measured", "does it hold?"), rows, numeric=False),),
        charts=(),
        notes=(
            "Every number is of this run, on one machine, over loopback: counts carry over to other machines, times do "
            "not.",
        ),
    )


def _sentence(claim: Claim) -> Sentence:
    # Not measured: of no launch, so that its certainty is `open`.
    text = f"“{claim.claim}” {claim.told[0].upper()}{claim.told[1:]}."
    return Sentence(text=text, certainty=certainty_of(claim.launches))

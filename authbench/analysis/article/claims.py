"""All claims of the article, in its order."""

from authbench.analysis.article.claim import Claim, Evidence, Judge
from authbench.analysis.article.connections import doubled_connections
from authbench.analysis.article.reading import read_by_the_browser
from authbench.analysis.article.routing import broken_by_the_balancer
from authbench.analysis.article.serverless import multiplied_by_functions
from authbench.analysis.article.services import multiplied_by_services, verified_by_anyone

SCENARIO = "article"
JUDGES: tuple[Judge, ...] = (
    doubled_connections,
    broken_by_the_balancer,
    multiplied_by_services,
    multiplied_by_functions,
    verified_by_anyone,
    read_by_the_browser,
)


def claims(evidence: Evidence) -> tuple[Claim, ...]:
    """One ruling a claim; the same records give the same rulings."""
    return tuple(judge(evidence) for judge in JUDGES)

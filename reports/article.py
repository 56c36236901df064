"""The page of the article's claims: written from one result folder, so that no number in it can go stale."""

from collections.abc import Sequence

from authbench.analysis.article.claim import Claim
from authbench.records import Manifest
from reports.markdown import escape
from reports.sections.markdown import section_lines
from reports.sections.section import Section

PAGE = "article-claims.md"
HEAD = "# The article's claims, measured"
INTRODUCTION = (
    "authbench began from an article whose author moved a Django application from sessions to tokens. Each of its "
    "claims was put to the real parts: PostgreSQL, Valkey, nginx, gunicorn, AWS's own runtime client. The table says "
    "what was counted or measured and whether the claim holds; “holds only when” names the condition."
)
WARNING = "This page is written by `authbench report`: change what writes it, or run it again, but not the page."
RULINGS = {"holds": "**holds**", "does not hold": "**does not hold**", "not measured": "not measured"}


def article_page(manifest: Manifest, claims: Sequence[Claim], sections: Sequence[Section], *, charts: str) -> str:
    """The whole page in Markdown. `charts`: the folder of the charts, as a link on the page reaches it.

    The same records give the same bytes.
    """
    lines = [HEAD, "", f"<!-- {WARNING} -->", "", INTRODUCTION, "", *_provenance(manifest), ""]
    lines += ["| claim | what was measured | does it hold? |", "| --- | --- | --- |"]
    lines += [f"| {escape(each.claim)} | {escape(each.measured)} | {_ruling(each)} |" for each in claims]
    for section in sections:
        if section.charts:  # the tables are in the report; those of the claims stand above
            lines += section_lines(section, escape, charts=charts, tables=False, sentences=True)
    return "\n".join(lines).rstrip("\n") + "\n"


def _ruling(claim: Claim) -> str:
    if claim.ruling == "holds only when":
        return f"**holds only when** {escape(claim.when)}"
    return RULINGS[claim.ruling]


def _provenance(manifest: Manifest) -> list[str]:
    machine = manifest.machine
    commit = f", commit {manifest.git_commit[:12]}" if manifest.git_commit else ""
    dirty = " (with local changes)" if manifest.git_dirty else ""
    return [
        f"Measured {escape(manifest.started_utc)} on {escape(machine.cpu_model)}, {machine.cores} cores, with "
        f"authbench {escape(manifest.authbench + commit)}{dirty}, {manifest.question.launches} launches a cell. To "
        f"repeat it: `{manifest.command}`, then `authbench report` on its folder."
    ]

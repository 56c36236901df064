"""From a result folder to everything that is shown of it: findings, report, charts, and exports for other tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from authbench.analysis.article.claim import Claim
from authbench.analysis.article.claims import SCENARIO
from authbench.analysis.bought import bought
from authbench.analysis.findings import Comparison, Summary
from authbench.analysis.rows import CPU
from authbench.analysis.summary import summarise
from authbench.errors import UsageError
from authbench.journal import write_whole
from authbench.observed import read_observations
from authbench.records import SCHEMA_VERSION, Manifest, Sample, Trial, read_series, read_trials
from authbench.semantics.findings import Semantics, read_semantics
from reports.article import PAGE, article_page
from reports.bought import semantics_csv
from reports.charts.canvas import Chart, caption, styled
from reports.charts.connections import connections_chart
from reports.charts.cpu import cpu_chart
from reports.charts.latency import latency_chart
from reports.charts.pairs import pairs_chart
from reports.charts.table import table_chart
from reports.exports.action_benchmark import action_benchmark
from reports.exports.bencher import bencher
from reports.exports.case import cases_of
from reports.exports.figure import figures
from reports.exports.junit import junit
from reports.exports.observations_csv import observations_csv
from reports.exports.step_summary import step_summary
from reports.exports.table_csv import summary_csv, trials_csv
from reports.html import html
from reports.markdown import markdown
from reports.sections.all import sections
from reports.sections.article import claims_of
from reports.sections.section import Found, Section

MANIFEST_FILE = "manifest.json"
SUMMARY_FILE = "summary.json"
FOLDED = 500_000  # bytes of the report within a step summary: half of what GitHub takes


@dataclass(frozen=True, slots=True)
class Built:
    """What the records of a folder say, and the files that show it."""

    summary: Summary
    manifest: Manifest
    sections: tuple[Section, ...]
    claims: tuple[Claim, ...]  # the article's, where its scenario was run
    files: tuple[Path, ...]


def build(folder: Path) -> Built:
    """Write the findings and the report of a result folder.

    The same records give the same bytes. Raises UsageError where the folder holds no records or cannot be written.
    """
    manifest, trials, series = read_manifest(folder), read_trials(folder), read_series(folder)
    observations = read_observations(folder)
    summary, semantics = summarise(manifest, trials), read_semantics(folder)
    if semantics and not summary.comparisons:
        summary = summary.model_copy(update={"answer": bought(semantics)})
    found = Found(manifest, trials, series, observations)
    with styled():
        own = sections(found)
    summary = _answered_by(summary, own)
    charts = draw(manifest, summary, trials, series)
    files = {
        SUMMARY_FILE: (summary.model_dump_json(indent=1) + "\n").encode(),
        "report.html": html(manifest, summary, charts, semantics, own).encode(),
        "report.md": markdown(manifest, summary, semantics, own).encode(),
        **exports(manifest, summary, trials, semantics, own),
    }
    if semantics:
        files["semantics.csv"] = semantics_csv(semantics)
    if judged := claims_of(found):
        files[PAGE] = article_page(manifest, judged, own, charts="charts").encode()
    if observations:
        files["observations.csv"] = observations_csv(observations)
    for pictures in (*(pictures for _, pictures in charts), *(each.charts for each in own)):
        for chart in pictures:
            files[f"charts/{chart.name}.svg"] = chart.svg
            files[f"charts/{chart.name}.png"] = chart.png
    try:
        return Built(summary, manifest, own, judged, tuple(_write(folder, files)))
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot write the report ({error.strerror}); the records are kept, free some space, "
            f"then: authbench report {folder}"
        ) from error


def write_article(folder: Path, built: Built, page: Path) -> list[Path]:
    """Writes the page of the article's claims from what was built of that folder, its charts in a folder beside it.

    Raises UsageError where the folder holds another scenario, or the page cannot be written.
    """
    if not built.claims:
        raise UsageError(f"{folder}: holds no run of the scenario `{SCENARIO}`, whose page this is")
    pictures = Path("images") / page.stem
    text = article_page(built.manifest, built.claims, built.sections, charts=pictures.as_posix())
    try:
        (page.parent / pictures).mkdir(parents=True, exist_ok=True)
        written = [write_whole(page, text.encode())]
        charts = {f"{chart.name}.svg": chart.svg for section in built.sections for chart in section.charts}
        written += [write_whole(page.parent / pictures / name, data) for name, data in charts.items()]
        for old in sorted((page.parent / pictures).glob("*.svg")):
            if old.name not in charts:
                old.unlink()
    except OSError as error:
        raise UsageError(f"{page}: cannot write ({error.strerror}); name another file with --article") from error
    return written


def _answered_by(summary: Summary, own: Sequence[Section]) -> Summary:
    """The first section's answer before the usual one, and instead of it where CPU is not asked for or not ranked.

    What the other sections found stands in them.
    """
    first = own[0].sentences if own else ()
    if not first:
        return summary
    ranked = CPU in summary.question.answers and any(comparison.groups for comparison in summary.comparisons)
    return summary.model_copy(update={"answer": (*first, *(summary.answer if ranked else ()))})


def exports(
    manifest: Manifest,
    summary: Summary,
    trials: Sequence[Trial],
    semantics: Sequence[Semantics] = (),
    own: Sequence[Section] = (),
) -> dict[str, bytes]:
    """File name -> content, of every file that another tool reads (docs/exports.md)."""
    question, cases, found = manifest.question, cases_of(summary), figures(summary, trials)
    told = {
        "command": manifest.command,
        "profile": question.profile,
        "reference": question.reference,
        "seed": str(manifest.seed),
        "commit": manifest.git_commit or "unknown",
        "cpu": manifest.machine.cpu_model,
    }
    title, lead = f"authbench: {question.name}", summary.answer[0].text
    body = markdown(manifest, summary, semantics, own, limit=FOLDED)
    return {
        "junit.xml": junit(cases, name=title, timestamp=manifest.started_utc, properties=told),
        "step-summary.md": step_summary(cases, title=title, lead=lead, body=body).encode(),
        "trials.csv": trials_csv(trials),
        "summary.csv": summary_csv(summary, found),
        "benchmark.json": action_benchmark(found),
        "bencher.json": bencher(found),
    }


def read_manifest(folder: Path) -> Manifest:
    """The run's manifest. Raises UsageError where there is none, or one of a newer schema."""
    path = folder / MANIFEST_FILE
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot read ({error.strerror}); name a result folder such as results/…") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: not a manifest of this authbench ({where}: {first['msg']})") from error
    if manifest.schema_version > SCHEMA_VERSION:
        raise UsageError(f"{path}: written by schema {manifest.schema_version}, this authbench reads {SCHEMA_VERSION}")
    return manifest


def draw(
    manifest: Manifest, summary: Summary, trials: Sequence[Trial], series: Sequence[Sample]
) -> list[tuple[Comparison, list[Chart]]]:
    """All charts of every comparison. With several comparisons, file names end in their number."""
    foot = caption(manifest)
    drawn = []
    with styled():
        for number, comparison in enumerate(summary.comparisons, start=1):
            end = f"-{number}" if len(summary.comparisons) > 1 else ""
            found = (
                cpu_chart(comparison, foot, f"cpu{end}"),
                pairs_chart(comparison, summary.question.control, foot, f"pairs{end}"),
                latency_chart(comparison, trials, foot, f"latency{end}"),
                connections_chart(comparison, trials, series, foot, f"connections{end}"),
                table_chart(comparison, foot, f"table{end}"),
            )
            drawn.append((comparison, [chart for chart in found if chart is not None]))
    return drawn


def _write(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Every file whole or not at all: an interrupted build leaves the earlier one's."""
    charts = folder / "charts"
    charts.mkdir(exist_ok=True)
    written = [write_whole(folder / name, data) for name, data in files.items()]
    for old in sorted(charts.iterdir()):  # a chart of an earlier build that this one does not draw would mislead
        if old.suffix in (".svg", ".png") and f"charts/{old.name}" not in files:
            old.unlink()
    return written

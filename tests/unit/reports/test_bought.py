"""What a strategy buys, in words: at once, never, and what no strategy may do."""

import csv
import io

import pytest
from rich.console import Console

from authbench.analysis.bought import bought
from authbench.semantics.findings import EVENTS, Edge, Obeyed, Skew, write_semantics
from reports.bought import COLUMNS, print_bought, problems, rows, semantics_csv
from reports.build import build
from tests.unit.reports.exports.made import MIXED
from tests.unit.reports.exports.published import problems as schema_problems
from tests.unit.reports.folder import HOSTILE, written
from tests.unit.semantics.made import row

NEVER = {event: Obeyed(after_s=None, within_s=3.0) for event in EVENTS}
TOKEN = row(
    "jwt-hs256",
    obeyed=NEVER,
    stolen_after_logout=("read", "write", "renew"),
    skew=Skew(ahead_s=300.0, right_at_ahead=True, ahead_at_right=False),
    credential_bytes={1: 428, 100: 2632, 1000: 22_671},
    refused_sizes={1000: 400},
)


def told(made, head):
    heads = [column.head for column in COLUMNS]
    return dict(zip(heads, rows([made])[0], strict=True))[head]


@pytest.mark.parametrize(
    ("made", "head", "text"),
    [
        (row(), "logout ends it", "at once"),
        (row(obeyed={**NEVER, "logout": Obeyed(after_s=1.25, within_s=3.0)}), "logout ends it", "1.2 s"),
        (TOKEN, "logout ends it", "not within 3 s"),
        (row(obeyed={e: Obeyed(after_s=None, within_s=0.0) for e in EVENTS}), "logout ends it", "–"),
        (row(), "a copy after logout can", "nothing"),
        (TOKEN, "a copy after logout can", "read, write, renew for 12 h"),
        (row(stolen_after_logout=("read",), expires_in_s=None), "a copy after logout can", "read for ever"),
        (row(), "clock 300 s off", "accepted"),
        (TOKEN, "clock 300 s off", "refused: issued ahead"),
        (row(skew=None), "clock 300 s off", "–"),
        (
            row(skew=Skew(ahead_s=300.0, right_at_ahead=None, ahead_at_right=None)),
            "clock 300 s off",
            "stays on one replica",
        ),
        (TOKEN, "bytes a request", "428 → 2,632"),
        (TOKEN, "too large from", "1,000 permissions (400)"),
        (row(), "too large from", "not by 1,000"),
        (row(), "header limit", "8,190 B (431)"),
        (row(header_at_balancer=Edge(bytes=None, status=None, tried_bytes=65_536)), "header limit", "over 65,536 B"),
        (row(), "caches", "no-store, Vary"),
        (row(storable=("orders",)), "caches", "orders may be stored"),
        (row(replayed=False), "used twice", "refused"),
    ],
)
def test_every_cell_says_what_was_measured(made, head, text):
    assert told(made, head) == text


def test_the_report_shows_it_beside_the_cost_table_and_other_tools_read_it(tmp_path):
    folder = written(tmp_path, MIXED)
    build(folder)
    assert "What it buys" not in (folder / "report.html").read_text(encoding="utf-8")

    first, *_ = [r.strategy for r in build(folder).summary.comparisons[0].rows if r.cpu_ms]
    write_semantics(folder, [row(first, problems=("fixated <b>",)), TOKEN])
    built = build(folder)
    summary, files = built.summary, built.files

    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.index('id="cost"') < page.index('id="bought"') < page.index('id="charts"')
    assert "read, write, renew for 12 h" in page
    assert "fixated &lt;b&gt;" in page
    assert "## What each buys" in (folder / "report.md").read_text(encoding="utf-8")
    assert folder / "semantics.csv" in files
    assert schema_problems(folder) == []
    cost = next(r.cpu_ms.value for r in summary.comparisons[0].rows if r.strategy == first)
    assert rows([row(first)], summary)[0][1].startswith(f"{cost:.3f}"[:4])
    assert rows([TOKEN])[0][1] == "–"


def test_hostile_names_stay_text(tmp_path):
    folder = written(tmp_path, MIXED)
    write_semantics(folder, [row(name) for name in HOSTILE])
    build(folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<script>alert" not in (folder / "report.md").read_text(encoding="utf-8")
    cells = list(csv.reader(io.StringIO((folder / "semantics.csv").read_text(encoding="utf-8"))))
    assert not any(cell.startswith(("=", "+", "@")) for line in cells for cell in line)


def test_the_terminal_shows_rows_and_failings():
    console = Console(width=200, file=io.StringIO())
    print_bought([TOKEN, row(problems=("is let in anywhere",))], None, console)
    text = console.file.getvalue()
    assert "> 3 s" in text
    assert "✗ session-db: is let in anywhere" in text
    assert problems([TOKEN]) == []


def test_figures_for_other_tools_name_their_unit():
    lines = list(csv.DictReader(io.StringIO(semantics_csv([TOKEN]).decode())))
    found = {line["figure"]: (line["value"], line["unit"]) for line in lines}
    assert found["logout obeyed after"] == ("", "s")
    assert found["header with 100 permissions"] == ("2632", "bytes")
    assert found["accepted when issued 300 s ahead"] == ("0", "0/1")


def test_the_answer_of_a_run_that_loads_nothing_counts_what_was_measured():
    first, second, third = bought([row(), TOKEN])
    assert "1 of 2 strategies refuse a copied credential" in first.text
    assert "1 let it in: jwt-hs256" in first.text
    assert "1 of 2 obey both" in second.text
    assert "0 did what no strategy may do" in third.text
    assert {line.certainty for line in (first, second, third)} == {"firm"}
    unmeasured = row(obeyed={event: Obeyed(after_s=None, within_s=0.0) for event in EVENTS})
    assert bought([unmeasured])[0].certainty == "tentative"

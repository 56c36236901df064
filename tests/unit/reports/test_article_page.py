"""docs/article-claims.md is what its records give, to the byte: no number on it can go stale unseen."""

import shutil
from pathlib import Path

import pytest

from authbench.analysis.article.claims import JUDGES
from authbench.errors import UsageError
from authbench.stack.replicas import ROOT
from reports.build import build, write_article

DOCS = ROOT / "docs"
RECORDS = DOCS / "experiments" / "article"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("page")
    shutil.copytree(RECORDS, home / "run")
    write_article(home / "run", build(home / "run"), home / "docs" / "article-claims.md")
    return home


def test_the_page_and_its_charts_are_what_the_records_give(written: Path) -> None:
    made, kept = written / "docs", DOCS
    assert (made / "article-claims.md").read_bytes() == (kept / "article-claims.md").read_bytes()
    charts = {path.name for path in (made / "images" / "article-claims").iterdir()}
    assert charts == {path.name for path in (kept / "images" / "article-claims").iterdir()}
    for name in charts:
        there = kept / "images" / "article-claims" / name
        assert (made / "images" / "article-claims" / name).read_bytes() == there.read_bytes(), name


def test_every_claim_was_ruled_upon_by_at_least_six_launches(written: Path) -> None:
    claims = build(written / "run").claims
    assert len(claims) == len(JUDGES)
    assert all(claim.ruling != "not measured" for claim in claims)
    assert all(claim.launches >= 6 for claim in claims if claim.section != "reading")  # which no chance has a part in


def test_the_page_links_every_chart_and_names_its_run(written: Path) -> None:
    text = (written / "docs" / "article-claims.md").read_text(encoding="utf-8")
    for chart in (written / "docs" / "images" / "article-claims").iterdir():
        assert f"](images/article-claims/{chart.name})" in text
    assert "authbench run article" in text


def test_a_folder_of_another_scenario_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read|no manifest"):
        write_article(tmp_path, build(tmp_path), tmp_path / "page.md")

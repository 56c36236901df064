"""docs/doctor.md names every topic, and the JSON as it is."""

import json

from authbench.doctor.finding import Finding
from authbench.stack.replicas import ROOT
from tests.unit.doctor.test_examination import TOPICS

PAGE = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")


def test_every_topic_has_its_line() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")]
    named = {topic.strip() for row in rows for topic in row.split(",")}
    assert TOPICS - named == set()
    assert named - TOPICS - {"topic", "---"} == set()


def test_the_keys_of_a_finding_are_the_ones_shown() -> None:
    keys = json.dumps(list(Finding.__dataclass_fields__))[1:-1]
    assert f"{{{keys}}}…" in PAGE

"""Every section there is, in the order of the report. Each is built from records alone, or is not there (None)."""

from collections.abc import Callable

from reports.sections import replicas
from reports.sections.section import Found, Section

SECTIONS: tuple[Callable[[Found], Section | None], ...] = (replicas.section,)


def sections(found: Found) -> tuple[Section, ...]:
    """Those that the records can answer."""
    return tuple(section for build in SECTIONS if (section := build(found)) is not None)

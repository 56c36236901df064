"""Every section there is, in the order of the report. Each is built from records alone, or is not there (None)."""

from collections.abc import Callable

from reports.sections import (
    article,
    distance,
    faults,
    growth,
    logins,
    payload,
    pooling,
    replicas,
    revival,
    rotation,
    routing,
    separate_store,
    serverless,
    services,
)
from reports.sections.section import Found, Section

SECTIONS: tuple[Callable[[Found], Section | None], ...] = (
    article.section,
    replicas.section,
    pooling.section,
    separate_store.section,
    routing.section,
    rotation.section,
    services.section,
    serverless.section,
    distance.section,
    growth.section,
    logins.section,
    payload.section,
    faults.section,
    revival.section,
)


def sections(found: Found) -> tuple[Section, ...]:
    """Those that the records can answer."""
    return tuple(section for build in SECTIONS if (section := build(found)) is not None)

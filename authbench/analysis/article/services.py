"""Two claims about services: look-ups multiply with them, and a token can be verified by whoever knows the key."""

from collections.abc import Mapping

from authbench.analysis.article.claim import Claim, Evidence, Ruling, not_measured
from authbench.analysis.services import Course, courses
from authbench.experiments.services import measures

MULTIPLIED = "multiplied by services"
MULTIPLIED_CLAIM = "Look-ups of the session multiply when several services each check the user."
VERIFIED = "verified by anyone with the key"
VERIFIED_CLAIM = "A token can be verified by any server that knows the key."
SECTION = "services"
SESSION, FORWARDED = "session", "forwarded-jwt"


def multiplied_by_services(evidence: Evidence) -> Claim:
    """Looks at the exact calls of every way against the number of services."""
    found = _courses(evidence)
    session = found.get(SESSION)
    if session is None or session.calls is None:
        return not_measured(MULTIPLIED, MULTIPLIED_CLAIM, SECTION)
    a_service, a_request = session.calls
    flat = [name for name, each in found.items() if each.calls is not None and not each.calls[0]]
    measured = f"Auth-tier calls a user request: {'; '.join(_told(each) for each in found.values())}."
    ruling: Ruling = "holds" if a_service > 0 else "does not hold"
    when = ""
    if a_service > 0 and flat:
        ruling = "holds only when"
        when = f"each service looks the user up itself: {', '.join(flat)} ask the same whatever the number of services"
    return Claim(
        name=MULTIPLIED,
        claim=MULTIPLIED_CLAIM,
        ruling=ruling,
        when=when,
        measured=measured if not a_request else f"{measured} A session costs {a_request:g} more a request.",
        section=SECTION,
        launches=min(each.launches for each in session.seen),
    )


def verified_by_anyone(evidence: Evidence) -> Claim:
    """Looks at whether every service named the caller, and whom it had to ask."""
    course = _courses(evidence).get(FORWARDED)
    if course is None:
        return not_measured(VERIFIED, VERIFIED_CLAIM, SECTION)
    checked = [(each.count(measures.CHECKS), each.services) for each in course.seen]
    everyone = all(count == services for count, services in checked)
    calls = max((each.count(measures.AUTH_CALLS) or 0.0 for each in course.seen), default=0.0)
    longest = course.longest
    measured = (
        f"{longest.services} services in a chain verified the same token with the public key alone: "
        f"{longest.count(measures.CHECKS) or 0:g} of {longest.services} named the caller, asking the auth tier "
        f"{calls:g} times"
    )
    bytes_ = longest.count(measures.HEADER_BYTES)
    measured += f"; each hop carried {bytes_:g} bytes of headers." if bytes_ is not None else "."
    return Claim(
        name=VERIFIED,
        claim=VERIFIED_CLAIM,
        ruling="holds" if everyone and not calls else "does not hold",
        measured=measured,
        section=SECTION,
        launches=min(each.launches for each in course.seen),
    )


def _courses(evidence: Evidence) -> Mapping[str, Course]:
    return {each.checking: each for each in courses(evidence.observations)}


def _told(course: Course) -> str:
    points = [(each.services, each.count(measures.AUTH_CALLS)) for each in course.chains]
    known = [f"{calls:g} at {services}" for services, calls in points if calls is not None]
    return f"{course.checking} {', '.join(known) or 'unknown'}"

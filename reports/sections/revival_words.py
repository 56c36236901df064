"""The revival section's sentences: each says what was counted, and no more."""

from collections.abc import Sequence

from authbench.analysis.revival import After, Place, Stopped
from authbench.analysis.wording import listed
from authbench.experiments.revival import measures

CACHE_EVENTS = {"cache flush": "the cache was flushed", "cache restart": "the cache restarted"}
CRASH, CRASH_KEPT = "database crash", "database crash, commits kept"


def of(part: int, whole: int) -> str:
    """`3 of 40`."""
    return f"{part} of {whole}"


def ends_nothing(after: Sequence[After]) -> str:
    """Whose logout ends nothing on the server; empty where all end something."""
    names = [
        f"{each.strategy} ({of(each.revived, each.counts.of(measures.ACKNOWLEDGED))})"
        for each in after
        if each.event == "none" and each.revived
    ]
    if not names:
        return ""
    return (
        "Without any fault, a copy of the credential was accepted after a logout that was answered 200 with "
        f"{listed(names)}: these logouts end nothing on the server, and faults cannot undo them."
    )


def ends_everything(after: Sequence[After]) -> str:
    """Whose logouts all held where nothing happened."""
    plain = [each for each in after if each.event == "none" and not each.revived]
    if not plain:
        return ""
    logouts = sum(each.counts.of(measures.ACKNOWLEDGED) for each in plain)
    return (
        f"Without any fault, none of {logouts} acknowledged logouts of {listed([e.strategy for e in plain])} came back."
    )


def undone_by_cache(after: Sequence[After]) -> str:
    """What a cache that forgets undoes, and whom it logs out instead."""
    concerned = [each for each in after if each.event in CACHE_EVENTS]
    if not concerned:
        return ""
    undone = [each for each in concerned if each.revived]
    told = []
    if undone:
        named = [f"{each.strategy} ({each.event}: {_undone(each)})" for each in undone]
        told.append(f"A cache that forgets undid acknowledged logouts of {listed(named)}.")
    else:
        told.append("A cache that forgets undid no acknowledged logout.")
    lost = [each for each in concerned if each.counts.of(measures.OTHERS_IN) < each.counts.of(measures.OTHERS)]
    if lost:
        named = [f"{each.strategy} ({each.event}: {_lost(each)})" for each in lost]
        told.append(f"It logged out users who had not asked for it: {listed(named)}.")
    return " ".join(told)


def undone_by_crash(after: Sequence[After]) -> str:
    """What a killed database loses as the stack sets it, and where it waits for its log."""
    soft = [each for each in after if each.event == CRASH]
    if not soft:
        return ""
    undone = [each for each in soft if each.revived]
    kept = [each for each in after if each.event == CRASH_KEPT]
    if undone:
        oldest = max(each.oldest_ms or 0.0 for each in undone)
        told = (
            "PostgreSQL killed right after the last answer, with synchronous_commit off as this stack sets it, lost "
            f"acknowledged logouts of {listed([f'{each.strategy} ({_undone(each)})' for each in undone])}, the oldest "
            f"answered {oldest:.1f} ms before."
        )
    else:
        told = (
            "PostgreSQL killed right after the last answer, with synchronous_commit off, lost no acknowledged logout."
        )
    if not kept:
        return told
    logouts = sum(each.counts.of(measures.ACKNOWLEDGED) for each in kept)
    lost = [f"{each.strategy} ({_undone(each)})" for each in kept if each.revived]
    return f"{told} With synchronous_commit on, {listed(lost) if lost else f'none of {logouts}'} came back."


def overtaken(races: Sequence[Stopped]) -> str:
    """Where a logout that overtook a request did not end the login."""
    races = [each for each in races if each.request != "logout"]
    if not races:
        return ""
    back = [each for each in races if each.where(measures.REVIVED)]
    tried = sum(each.total(measures.ACKNOWLEDGED) for each in races)
    if not back:
        return (
            f"None of {tried} acknowledged logouts that overtook a request was undone by it under its own credential."
        )
    named = [f"{each.strategy}: {each.request} stopped {_before(each.where(measures.REVIVED))}" for each in back]
    return f"A request that went on after the logout brought the ended credential itself back: {'; '.join(named)}."


def renewed(races: Sequence[Stopped]) -> str:
    """Where an overtaken renewal gave a credential that outlives the logout."""
    refreshes = [each for each in races if each.request == "refresh"]
    if not refreshes:
        return ""
    back = [each for each in refreshes if each.where(measures.RENEWED)]
    safe = [each.strategy for each in refreshes if each not in back]
    told = []
    if back:
        named = [f"{each.strategy} ({of(len(each.where(measures.RENEWED)), len(each.places))} places)" for each in back]
        told.append(
            f"A refresh that a logout overtook gave a new credential that was accepted after it: {listed(named)}."
        )
    if safe:
        told.append(f"With {listed(safe)} no overtaken refresh did.")
    return " ".join(told)


def outlived(races: Sequence[Stopped]) -> str:
    """Where a refresh that overtook a logout gave a login that the logout, answered 200, did not end."""
    logouts = [each for each in races if each.request == "logout"]
    if not logouts:
        return ""
    back = [each for each in logouts if each.where(measures.RENEWED)]
    safe = [each.strategy for each in logouts if each not in back]
    told = []
    if back:
        named = [
            f"{each.strategy} ({of(each.total(measures.RENEWED), each.total(measures.ACKNOWLEDGED))})" for each in back
        ]
        told.append(
            f"A logout that a refresh overtook was answered 200 and the renewed login went on: {listed(named)}."
        )
    if safe:
        told.append(f"With {listed(safe)} such a logout ended the renewed login too, or was not answered 200.")
    return " ".join(told)


def used_twice(pairs: Sequence[Stopped]) -> str:
    """What became of one credential in two requests at once."""
    if not pairs:
        return ""
    both = [each for each in pairs if each.total(measures.BOTH)]
    never = [
        f"{each.strategy} ({each.request}: {of(each.total(measures.ONE), each.total(measures.PAIRS))} pairs)"
        for each in pairs
        if each not in both
    ]
    told = []
    if never:
        told.append(f"Of one credential in two requests at once, one was accepted and never both: {listed(never)}.")
    if both:
        named = [f"{each.strategy} ({of(each.total(measures.BOTH), each.total(measures.PAIRS))})" for each in both]
        told.append(f"Both refreshes of a pair were accepted with {listed(named)}.")
    return " ".join(told)


def broken_off(halves: Sequence[Stopped]) -> str:
    """What clients were told by logouts whose store went away, and what was accepted afterwards."""
    if not halves:
        return ""
    total = {
        m: sum(each.total(m) for each in halves) for m in (measures.LOGOUTS, measures.ACKNOWLEDGED, measures.ALIVE)
    }
    undone = [each for each in halves if each.total(measures.REVIVED)]
    told = (
        f"Of {total[measures.LOGOUTS]} logouts whose store went away in front of one of their operations, "
        f"{total[measures.ACKNOWLEDGED]} were answered 200"
    )
    if undone:
        told += f", and credentials were accepted all the same with {listed([each.strategy for each in undone])}"
    forgot = [each for each in halves if each.total(measures.FORGOTTEN)]
    dropped = f"the clients of {listed([each.strategy for each in forgot])} had dropped theirs" if forgot else ""
    return (
        f"{told}. Of the others, {total[measures.ALIVE]} left the credential accepted once the store was back, "
        f"{dropped or 'and every client still had it to try again'}."
    )


def _before(places: Sequence[Place]) -> str:
    return "before " + listed([f"{place.operation} (operation {place.number})" for place in places])


def _undone(each: After) -> str:
    return of(each.revived, each.counts.of(measures.ACKNOWLEDGED))


def _lost(each: After) -> str:
    others = each.counts.of(measures.OTHERS)
    return of(others - each.counts.of(measures.OTHERS_IN), others)

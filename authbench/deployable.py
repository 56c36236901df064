"""Which deployments this machine can run, and why it cannot run the others."""

from collections.abc import Iterable
from dataclasses import dataclass

from authbench.deployment import Deployment
from authbench.errors import StackError
from authbench.stack import binaries


@dataclass(frozen=True, slots=True)
class Needs:
    """Parts that only some deployments use: a stack starts them where one of its deployments does."""

    session_server: bool = False  # a second PostgreSQL, for the session table alone
    pgbouncer: bool = False
    openbao: bool = False


NOTHING_MORE = Needs()


def needs_of(deployments: Iterable[Deployment]) -> Needs:
    """What a stack must have to run each of them in turn."""
    everyone = tuple(deployments)
    return Needs(
        session_server=any(each.session_store == "separate" for each in everyone),
        pgbouncer=any(each.pooling == "pgbouncer" for each in everyone),
        openbao=any(each.secrets == "openbao" for each in everyone),
    )


def why_not(deployment: Deployment) -> str | None:
    """Why it cannot be run here, a clause; None where it can."""
    programs = {
        binaries.PGBOUNCER: deployment.pooling == "pgbouncer",
        binaries.OPENBAO: deployment.secrets == "openbao",
    }
    try:
        for program, needed in programs.items():
            if needed:
                binaries.find(program)
    except StackError as error:
        return str(error)
    return None

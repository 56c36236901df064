"""What is kept of secrets: passwords in the database, refresh tokens and one-time credentials at the client."""

from collections.abc import Iterator, Mapping

import psycopg

from apps.contract.credentials import Bearer
from authbench.conformance.checks import Subject
from authbench.errors import StackError

# The least work of a hash, by the name that Django gives it (OWASP, Password Storage Cheat Sheet). 0: its work stands
# otherwise in the text, and none that Django writes is below what OWASP asks for.
FEWEST_ITERATIONS: Mapping[str, int] = {
    "pbkdf2_sha256": 600_000,
    "pbkdf2_sha1": 1_300_000,
    "argon2": 0,
    "scrypt": 0,
    "bcrypt_sha256": 0,
}
STORED = "SELECT password FROM shop_user WHERE id = %s"


def stored_password(dsn: str, user_id: int) -> str:
    """A user's password as the database keeps it. Raises StackError where the database does not answer."""
    try:
        with psycopg.connect(dsn, application_name="authbench:verify") as connection:
            row = connection.execute(STORED, (user_id,)).fetchone()
    except psycopg.Error as error:
        raise StackError(f"the stored password cannot be read ({error})") from error
    return str(row[0]) if row else ""


def stores_passwords_slowly(subject: Subject) -> Iterator[str]:
    """A stored password costs whoever guesses it as much work as OWASP asks for. Never shows the hash."""
    if not subject.stored_password:
        return
    name, _, rest = subject.stored_password.partition("$")
    fewest = FEWEST_ITERATIONS.get(name)
    if fewest is None:
        yield f"passwords are stored as {name[:20]!r}, which is none of {', '.join(FEWEST_ITERATIONS)}"
    elif fewest and (turns := rest.partition("$")[0]) and (not turns.isdigit() or int(turns) < fewest):
        yield f"passwords are stored as {name} with {turns[:12]} iterations, fewer than {fewest}"


def refuses_used_refresh_tokens(subject: Subject) -> Iterator[str]:
    """A refresh token is no access token, and is worth nothing once it was used: whoever comes second is refused.

    RFC 9700, 4.14.2. Asked of logins of their own, since a server may end a login whose token came twice.
    """
    visitor = subject.anonymous.as_bearer_of(subject.anonymous.credential)
    if not isinstance(visitor.credential, Bearer) or not _has_refresh_token(subject):
        return
    visitor.log_in(subject.customer)
    first = visitor.credential
    if not isinstance(first, Bearer) or not first.refresh_token:
        yield "login gave no refresh token, though minted credentials hold one"
        return
    swapped = subject.anonymous.as_bearer_of(Bearer(first.refresh_token, "", first.token_type))
    if (answer := swapped.call("whoami")).status != 401:
        yield f"a refresh token sent as an access token: {answer.status}, not 401"
    if (answer := visitor.call("refresh")).status != 200:
        yield f"refresh with a new refresh token: {answer.status}, not 200"
        return
    if (answer := subject.anonymous.as_bearer_of(first).call("refresh")).status != 401:
        yield f"a refresh token that was used before: {answer.status}, not 401"


def takes_one_time_credentials_once(subject: Subject) -> Iterator[str]:
    """What is declared to be good for one request is refused at the second."""
    if not subject.strategy.one_time:
        return
    visitor = subject.anonymous.as_bearer_of(subject.anonymous.credential)
    visitor.log_in(subject.customer)
    statuses = [subject.anonymous.as_bearer_of(visitor.credential).call("whoami").status for _ in range(2)]
    if statuses == [200, 200]:
        yield "a one-time credential was accepted twice"
    elif statuses != [200, 401]:
        yield f"a one-time credential was answered {statuses[0]}, then {statuses[1]}: not 200, then 401"


def _has_refresh_token(subject: Subject) -> bool:
    minted = subject.customer_credential
    return isinstance(minted, Bearer) and bool(minted.refresh_token)

"""Virtual users with real logins: each gets a credential of its own by the contract, and a request that carries it."""

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gevent.pool import Pool as Greenlets

from apps.contract.credentials import Bearer, Credential, anonymous
from apps.contract.endpoints import ENDPOINTS, SAFE_METHODS, names_caller, to_json
from apps.contract.registry import Carrier
from loadtests.aim import aim
from loadtests.plan import PlanError, host_header
from loadtests.prepared import Request, prepare

LOGINS_AT_ONCE = 8
LOGIN_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs in."""

    username: str
    password: str


def read_accounts(path: Path) -> list[Account]:
    """Accounts of a JSON-lines file of {"username", "password"}; a line `{"users": [...]}` holds several.

    `authbench up --json` writes such a line. Raises PlanError where the file cannot be read or holds none.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        flat = [user for row in rows for user in row.get("users", [row])]
        accounts = [Account(str(user["username"]), str(user["password"])) for user in flat]
    except (OSError, ValueError) as error:
        raise PlanError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise PlanError(f'{path}: each line is {{"username": …, "password": …}}') from error
    if not accounts:
        raise PlanError(f"{path}: no account in it")
    return accounts


def visitors(
    url: str, accounts: Sequence[Account], carrier: Carrier, method: str, path: str, *, one_time: bool = False
) -> list[Request]:
    """One request an account, with the credential of its own login. Raises PlanError where a login fails.

    `one_time`: each answer names the token of the next request (`Authentication-Info: next-token="…"`).
    """
    greenlets = Greenlets(LOGINS_AT_ONCE)
    answers = greenlets.imap(lambda account: _log_in_or_error(url, account, carrier), accounts)
    # TLS ends at the load balancer in production, and replicas are told so: a browser would name this origin.
    page = None if method in SAFE_METHODS else f"https://{host_header(url)}"
    requests = []
    for number, (account, credential) in enumerate(zip(accounts, answers, strict=True)):
        if isinstance(credential, PlanError):
            raise credential
        row = {"method": method, "path": path, "headers": credential.attach(page), "status": _status(method, path)}
        if one_time and isinstance(credential, Bearer):
            row["rolls"] = credential.access_token
        requests.append(prepare(number, {**row, "contains": names_caller(account.username).decode()}, host_header(url)))
    return requests


def stranger(url: str, method: str, path: str) -> Request:
    """The request of somebody who has not logged in."""
    row = {"method": method, "path": path, "headers": (), "status": _status(method, path)}
    return prepare(0, row, host_header(url))


def log_in(url: str, account: Account, carrier: Carrier) -> Credential:
    """The credential of a fresh login. Raises PlanError where it fails."""
    endpoint = ENDPOINTS["login"]
    _, (address, port) = aim(url)
    connection = http.client.HTTPConnection(address, port, timeout=LOGIN_TIMEOUT_S)
    headers = {"Content-Type": "application/json", "Host": host_header(url)}
    body = to_json({"username": account.username, "password": account.password})
    try:
        connection.request(endpoint.method, endpoint.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise PlanError(f"login of {account.username} at {url}: {error or type(error).__name__}") from error
    finally:
        connection.close()
    if answer.status != endpoint.status:
        raise PlanError(f"login of {account.username} at {url}: status {answer.status}")
    credential = anonymous(carrier).absorb(answer.getheaders(), content)
    if not credential.attach() and carrier != "none":
        raise PlanError(f"login of {account.username} at {url}: no {carrier} credential in the answer; check --carrier")
    return credential


def _log_in_or_error(url: str, account: Account, carrier: Carrier) -> Credential | PlanError:
    try:
        return log_in(url, account, carrier)
    except PlanError as error:
        return error


def _status(method: str, path: str) -> int:
    """What the contract answers; 200 for what it does not know."""
    bare = path.partition("?")[0]
    return next((known.status for known in ENDPOINTS.values() if (known.method, known.path) == (method, bare)), 200)

"""What API Gateway makes of a request and of a function's answer: an HTTP API's payload format 2.0."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.contract.credentials import load
from apps.contract.endpoints import ENDPOINTS, whoami_body
from apps.contract.registry import Strategy
from authbench.conformance.checks import caller_of
from authbench.conformance.visitor import Answer
from authbench.stack.ports import LOOPBACK

STAGE = "$default"


@dataclass(frozen=True, slots=True)
class Question:
    """Who is asked about, as an event, and the body that is right."""

    event: bytes
    body: bytes

    def problem(self, answer: Answer) -> str | None:
        """What is wrong with the answer; None where nothing is."""
        if answer.status != 200:
            return f"status {answer.status}"
        return None if answer.body == self.body else "the answer is not about the caller"


def whoami(strategy: Strategy, row: Mapping[str, Any]) -> Question:
    """The question who calls, asked with a minted row's credential."""
    endpoint = ENDPOINTS["whoami"]
    sent = load(strategy.carrier, row["credential"]).attach()
    cookies = [part for name, value in sent if name == "Cookie" for part in value.split("; ")]
    headers = {name.lower(): value for name, value in sent if name != "Cookie"}
    now = time.time()
    event = {
        "version": "2.0",
        "routeKey": STAGE,
        "rawPath": endpoint.path,
        "rawQueryString": "",
        **({"cookies": cookies} if cookies else {}),
        "headers": {
            "accept": "*/*",
            "content-length": "0",
            "host": LOOPBACK,
            "x-forwarded-for": LOOPBACK,
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **headers,
        },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "authbench",
            "domainName": LOOPBACK,
            "domainPrefix": "authbench",
            "http": {
                "method": endpoint.method,
                "path": endpoint.path,
                "protocol": "HTTP/1.1",
                "sourceIp": LOOPBACK,
                "userAgent": "authbench",
            },
            "requestId": "authbench",
            "routeKey": STAGE,
            "stage": STAGE,
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": round(now * 1000),
        },
        "isBase64Encoded": False,
    }
    return Question(json.dumps(event, separators=(",", ":")).encode(), whoami_body(caller_of(dict(row))))


def answer_of(payload: bytes) -> Answer:
    """The answer that a client would get. Raises ValueError where the function's is none."""
    try:
        told = json.loads(payload)
        body = told["body"]
        content = base64.b64decode(body) if told.get("isBase64Encoded") else body.encode()
        headers = [*told["headers"].items(), *(("set-cookie", cookie) for cookie in told.get("cookies", ()))]
        return Answer(int(told["statusCode"]), tuple((str(name), str(value)) for name, value in headers), content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an answer to API Gateway ({type(error).__name__})") from error

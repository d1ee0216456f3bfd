"""Requests to platforms outside (对外请求): one try, bounded in time and size, no redirects.

The address may hold a secret in its query, so an error keeps the kind of what went wrong and
nothing of the request.
"""

import http.client
import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

BYTES_MAX: Final = 64 * 1024
_JSON: Final = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}


class OutboundFailed(Exception):  # noqa: N818 -- names a state, as refusals do
    """No answer in time, or not one of success."""


def fetch(
    origin: str,
    path: str,
    *,
    wait_s: float,
    body: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Get a path, or post ``body`` to it as JSON; gives at most ``BYTES_MAX`` of the answer.

    ``wait_s`` bounds connecting, and each wait for more of the answer.

    Raises:
        OutboundFailed: See its own words.
    """
    where = urlsplit(origin)
    assert where.hostname is not None, "settings name a host"
    made = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = made(where.hostname, where.port, timeout=wait_s)
    sent = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    try:
        method = "GET" if sent is None else "POST"
        connection.request(
            method, where.path.rstrip("/") + path, sent, {**_JSON, **(headers or {})}
        )
        answer = connection.getresponse()
        if answer.status >= http.client.MULTIPLE_CHOICES:
            raise OutboundFailed(f"status {answer.status}")
        return answer.read(BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        raise OutboundFailed(type(error).__name__) from None
    finally:
        connection.close()

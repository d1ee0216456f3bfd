"""One try (一次投递): resolve, judge every address, connect to one that was judged, post, hang up.

The name is resolved here and never again, so what was judged is what is connected to; its ``Host``
and the name that the certificate is checked for stay the endpoint's. Nothing of the answer but its
status is looked at: redirects are not followed, a body is not read, proxies of the environment are
not asked. Every step has an end in time.
"""

import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic
from typing import Final, NamedTuple

from app.webhooks.rules import Reach, Target, may_reach, read_url

RESOLVE_S: Final = 5.0
CONNECT_S: Final = 5.0
WHOLE_S: Final = 10.0
"""From the first byte of the request to the status of the answer."""
HEAD_MAX: Final = 64 * 1024
AGENT: Final = "tanpu-webhooks/1"
SUCCESS: Final = range(200, 300)
GONE: Final = 410
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r]")

Resolve = Callable[[str, int], Sequence[str]]


class Outcome(NamedTuple):
    """What came of a try: the status of the answer, or why there is none."""

    status: int | None = None
    fault: str | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status in SUCCESS


class Fault(Exception):  # noqa: N818 -- names a state, as refusals do
    """A try came to no answer; the first word says why, and nothing of the request."""


def resolve(host: str, port: int) -> list[str]:
    """Give every address of a name, as the machine's resolver knows it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


@dataclass(frozen=True)
class Sender:
    """Sends as far as this deployment may."""

    reach: Reach
    resolve: Resolve = resolve
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    whole_s: float = WHOLE_S

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Post ``body`` once."""
        target = read_url(url, self.reach)
        if target is None:
            return Outcome(fault="url_refused")
        try:
            return Outcome(status=self._post(target, headers, body))
        except Fault as error:
            return Outcome(fault=str(error))
        except TimeoutError:
            return Outcome(fault="timeout")
        except ssl.SSLError:
            return Outcome(fault="tls")
        except (OSError, HTTPException):
            return Outcome(fault="connection")

    def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> int:
        line = _connect(self._addresses(target), target.port)
        until = monotonic() + self.whole_s
        try:
            line.settimeout(self.whole_s)
            if not target.is_plain:
                line = self.context.wrap_socket(line, server_hostname=target.host)
            kind = HTTPConnection if target.is_plain else HTTPSConnection
            writer = kind(target.host, target.port)
            writer.sock = line
            line.settimeout(_left(until))
            sent = {"content-type": "application/json", "user-agent": AGENT, "connection": "close"}
            writer.request("POST", target.path, body, {**sent, **headers})
            return _status(line, until)
        finally:
            line.close()

    def _addresses(self, target: Target) -> Sequence[str]:
        """Give the addresses of a name, once each of them may be reached.

        Raises:
            Fault: There is none, or one that may not: who mixes them wants to see which is taken.
        """
        # A resolver has no time limit of its own; one that hangs is left behind with its thread.
        asking = ThreadPoolExecutor(1)
        try:
            found = asking.submit(self.resolve, target.host, target.port).result(RESOLVE_S)
        except OSError as error:
            raise Fault("timeout" if isinstance(error, TimeoutError) else "unresolved") from error
        finally:
            asking.shutdown(wait=False)
        if not found:
            raise Fault("unresolved")
        if not all(may_reach(each, self.reach) for each in found):
            raise Fault("address_refused")
        return found


def _connect(addresses: Sequence[str], port: int) -> socket.socket:
    """Connect to the first address that answers, within one time for all of them."""
    until = monotonic() + CONNECT_S
    for address in addresses[:-1]:
        try:
            return socket.create_connection((address, port), _left(until) / 2)
        except OSError:
            continue
    return socket.create_connection((addresses[-1], port), _left(until))


def _status(line: socket.socket, until: float) -> int:
    """Read the head of the answer, past what only says that one will come."""
    head = b""
    while True:
        while b"\r\n\r\n" not in head:
            if len(head) > HEAD_MAX:
                raise Fault("too_large")
            line.settimeout(_left(until))
            part = line.recv(4096)
            if not part:
                raise Fault("no_answer")
            head += part
        found = _STATUS.match(head)
        if found is None:
            raise Fault("malformed")
        status = int(found[1])
        if status >= SUCCESS.start:
            return status
        head = head.partition(b"\r\n\r\n")[2]


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    return left

"""A chain's JSON-RPC server, as far as a stranger's verifier asks it."""

import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from tests.vectors.city import City


class Chain(BaseHTTPRequestHandler):
    """The three JSON-RPC answers that the verifier asks for."""

    answers: dict[str, Any]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.answers[asked["method"]]
        if asked["method"] == "eth_call":
            data = asked["params"][0]["data"]
            assert data.startswith("0x6b5b338d")
            answer = answer[int(data[10:], 16)]
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": answer}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
        del format, args


@contextmanager
def served(city: City, epoch: int) -> Generator[str]:
    """Answer for a city's headers, of which one was submitted where it says."""
    said = city.anchoring(epoch)
    Chain.answers = {
        "eth_chainId": hex(said.chain_id),
        "eth_getTransactionReceipt": {
            "status": "0x1",
            "blockHash": said.block_hash,
            "blockNumber": hex(said.block),
        },
        "eth_call": {header.epoch: "0x" + header.hash().hex() for header in city.headers},
    }
    server = HTTPServer(("127.0.0.1", 0), Chain)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def babbling() -> Generator[str]:
    """Answer one request with what is no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def nonsense() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(65_536)
                caller.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=nonsense)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()

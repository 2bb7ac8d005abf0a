"""A chat server on loopback with scripted replies, which records its requests."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-test-0123456789"


@dataclass
class Reply:
    """A reply of the server: status, body, headers, and a delay in seconds."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0


@dataclass
class ChatServer:
    """`answer` makes the reply to the n-th request; `requests` and `headers` record them."""

    answer: Callable[[int, Any], Reply]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    base_url: str = ""

    @property
    def messages(self) -> list[str]:
        return [request["messages"][0]["content"] for request in self.requests]


def completion(text: object, **choice: object) -> Reply:
    """Return a chat completion with a text."""
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, **choice}]}
    return Reply(json.dumps(body).encode())


def name_segments(content: list[dict[str, Any]], *names: str | None) -> Reply:
    """Return a completion that names the numbered segments of a picture in turn."""
    found = re.search(r"There are (\d+) numbers", content[0]["text"])
    assert found is not None
    rows = [{"number": n + 1, "name": names[n % len(names)]} for n in range(int(found[1]))]
    return completion(json.dumps({"segments": rows}))


def failed(status: int, message: str) -> Reply:
    """Return an error as such servers send it; the client waits 5 ms before it tries again."""
    return Reply(json.dumps({"error": {"message": message}}).encode(), status, {"retry-after-ms": "5"})


@contextmanager
def chat_server(answer: Callable[[int, Any], Reply]) -> Iterator[ChatServer]:
    """Serve on a free port of 127.0.0.1."""
    state = ChatServer(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append({"path": self.path, **request})
            state.headers.append({name.lower(): value for name, value in self.headers.items()})
            if self.headers.get("Authorization") not in ("Bearer none", f"Bearer {KEY}"):
                reply = failed(401, f"Incorrect API key provided: {self.headers['Authorization'].split()[-1]}")
            else:
                reply = state.answer(len(state.requests) - 1, state.messages[-1])
            time.sleep(reply.pause)
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client has closed the connection, as tests of timeouts and kills do

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

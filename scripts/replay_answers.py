"""Serve recorded answers of a large model on this machine, in OpenAI's chat interface, for those who have no model.

python scripts/replay_answers.py docs/results/data/labels/replies.jsonl.gz --port 8077

It knows the pictures that were answered, by the hash of their pixels, and says so of any other.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import io
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def read_replies(path: Path) -> dict[tuple[str, str], str]:
    """Return hash of a picture and of a question -> reply, of JSON lines, which gzip may have compressed."""
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    return {(row["picture"], row["question"]): json.dumps(row["reply"]) for row in rows}


def key_of(request: dict[str, Any]) -> tuple[str, str]:
    """Return the hash of a request's picture, and that of its question."""
    text, shown = request["messages"][0]["content"]
    image = base64.b64decode(shown["image_url"]["url"].partition(",")[2])
    pixels = np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
    picture = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    return picture, hashlib.sha256(text["text"].encode()).hexdigest()


def make_server(replies: dict[tuple[str, str], str], port: int = 0) -> ThreadingHTTPServer:
    """Return a server on 127.0.0.1 that answers with recorded replies."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = key_of(request)
            if key in replies:
                message = {"role": "assistant", "content": replies[key]}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                self._send(200, {"object": "chat.completion", "model": request["model"], "choices": [choice]})
            else:
                said = f"expected a picture that was recorded, but got {key[0][:12]} with question {key[1][:12]}"
                self._send(422, {"error": {"message": said}})

        def _send(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("replies", type=Path, help="file of recorded replies")
    parser.add_argument("--port", type=int, default=8077, help="port on 127.0.0.1")
    given = parser.parse_args()
    replies = read_replies(given.replies)
    server = make_server(replies, given.port)
    print(f"{len(replies)} answers at base_url=http://127.0.0.1:{server.server_port}/v1 (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()

"""Serve recorded answers of a large model on this machine, in OpenAI's chat interface, for those who have no model.

python scripts/replay_answers.py docs/results/data/labels/replies.jsonl.gz --port 8077

It knows the pictures that were answered, by the hash of their pixels, or by a small copy where another machine renders
some pixels otherwise, and says so of any other.
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
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.labeling.picture import NumberedPicture

_ALIKE = 1.5
"""Mean difference of gray levels of two small copies of one picture."""


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return recorded replies of JSON lines, which gzip may have compressed."""
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()
    return [json.loads(line) for line in lines]


def read_replies(path: Path) -> dict[tuple[str, str], str]:
    """Return hash of a picture and of a question -> reply."""
    return {(row["picture"], row["question"]): json.dumps(row["reply"]) for row in read_rows(path)}


def thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return a small copy of a picture, gray levels [16, 32]."""
    small = Image.fromarray(pixels).convert("L").resize((32, 16), Image.Resampling.BOX)
    return np.asarray(small, float)


def find_reply(rows: list[dict[str, Any]], pixels: NDArray[np.uint8], question: str) -> str | None:
    """Return the reply to a question about a picture; None where none was recorded."""
    picture = NumberedPicture(pixels, ()).sha256
    asked = hashlib.sha256(question.encode()).hexdigest()
    of_question = [row for row in rows if row["question"] == asked]
    for row in of_question:
        if row["picture"] == picture:
            return json.dumps(row["reply"])
    for row in of_question:
        if "thumbnail" in row:
            recorded = np.frombuffer(base64.b64decode(row["thumbnail"]), np.uint8).reshape(16, 32)
            if np.abs(thumbnail(pixels) - recorded).mean() < _ALIKE:
                return json.dumps(row["reply"])
    return None


def content_of(request: dict[str, Any]) -> tuple[NDArray[np.uint8], str]:
    """Return a request's picture, [H, W, 3], and its question."""
    text, shown = request["messages"][0]["content"]
    image = base64.b64decode(shown["image_url"]["url"].partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGB")), text["text"]


def make_server(rows: list[dict[str, Any]], port: int = 0) -> ThreadingHTTPServer:
    """Return a server on 127.0.0.1 that answers with recorded replies."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            pixels, question = content_of(request)
            reply = find_reply(rows, pixels, question)
            if reply is not None:
                message = {"role": "assistant", "content": reply}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                self._send(200, {"object": "chat.completion", "model": request["model"], "choices": [choice]})
            else:
                self._send(422, {"error": {"message": "expected a picture and a question that were recorded"}})

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
    rows = read_rows(given.replies)
    server = make_server(rows, given.port)
    print(f"{len(rows)} answers at base_url=http://127.0.0.1:{server.server_port}/v1 (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()

"""A small server that answers as the Hugging Face Hub does, for one client on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hub:
    """Repositories in memory: `owner/name` -> file -> content; `requests` are the paths that were asked for.

    A repository of data has the name `datasets/owner/name`.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.requests: list[str] = []
        self.refuse = False
        self.address = ""

    def commit(self, repository: str) -> str:
        """Return the id of a repository's commit, which depends on its content."""
        files = sorted(self.repositories[repository].items())
        return hashlib.sha1(
            repr([(name, hashlib.sha256(data).hexdigest()) for name, data in files]).encode()
        ).hexdigest()


@contextmanager
def serve_hub() -> Iterator[Hub]:
    """Serve an empty hub on loopback."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._get(body=False)

    def do_GET(self) -> None:
        self._get(body=True)

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.hub.requests.append(f"POST {self.path}")
        parts = self.path.strip("/").split("/")
        if self.hub.refuse:
            self._send(403, b'{"error": "you may not write here"}')
        elif self.path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif self.path == "/api/repos/create":
            values = json.loads(data)
            name = f"{values.get('organization') or 'me'}/{values['name']}"
            name = f"datasets/{name}" if values.get("type") == "dataset" else name
            self.hub.repositories.setdefault(name, {})
            self._json({"url": f"{self.hub.address}/{name}", "name": name, "id": "0"})
        elif parts[4] == "preupload":
            paths = [file["path"] for file in json.loads(data)["files"]]
            self._json({"files": [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in paths]})
        else:
            name = "/".join(parts[2:4])
            name = f"datasets/{name}" if parts[1] == "datasets" else name
            self._commit(name, [json.loads(line) for line in data.decode().splitlines()])

    def _commit(self, name: str, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row["key"] == "deletedFile":
                del self.hub.repositories[name][row["value"]["path"]]
        files = [row["value"] for row in rows if row["key"] == "file"]
        self.hub.repositories[name] |= {file["path"]: base64.b64decode(file["content"]) for file in files}
        oid = self.hub.commit(name)
        self._json({"success": True, "commitOid": oid, "commitUrl": f"{self.hub.address}/{name}/commit/{oid}"})

    def _get(self, body: bool) -> None:
        self.hub.requests.append(f"{self.command} {self.path}")
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[0] == "datasets":
            name = "/".join(parts[:3])
            parts = parts[1:]
        else:
            name = "/".join(parts[2:4] if parts[0] == "api" else parts[:2])
            name = f"datasets/{name}" if parts[:2] == ["api", "datasets"] else name
        files = self.hub.repositories.get(name)
        if files is None:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
        elif parts[0] == "api" and parts[4:5] == ["tree"]:
            entries = [{"type": "file", "path": k, "size": len(v), "oid": _sha1(v)} for k, v in files.items()]
            self._send(200, json.dumps(entries).encode(), {"Content-Type": "application/json"})
        elif parts[0] == "api":
            siblings = [{"rfilename": file, "size": len(data)} for file, data in files.items()]
            self._json({"id": name, "sha": self.hub.commit(name), "siblings": siblings})
        else:
            data = files["/".join(parts[4:])]
            self._send(200, data, {"X-Repo-Commit": self.hub.commit(name), "ETag": f'"{_sha1(data)}"'}, body)

    def _json(self, values: Any) -> None:
        self._send(200, json.dumps(values).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None, body: bool = True) -> None:
        self.send_response(status)
        for key, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # its name in http.server
        """Print nothing."""


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()

"""Bounds on what a server may send: a deadline for a whole reply, and a number of bytes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pickclutter_lang.errors import LanguageModelError

MAX_REPLY_BYTES = 1_000_000
"""A reply holds one sentence; a megabyte leaves room for a model that thinks aloud."""
_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class ReplyLimits:
    """Event hooks of an `httpx.Client` that keeps no connection open: one request at a time.

    httpx bounds the time between two reads alone, so that a server which sends a byte now and then holds it for ever.
    """

    def __init__(self, seconds: float, max_bytes: int = MAX_REPLY_BYTES) -> None:
        self.seconds, self.max_bytes = seconds, max_bytes
        self.expired = False
        self._timer: threading.Timer | None = None
        self._stream: Any = None

    def on_request(self, request: Any) -> None:
        """Start the clock; ask for a body that is not compressed."""
        self.stop()
        self.expired, self._stream = False, None
        request.headers["Accept-Encoding"] = "identity"
        request.extensions["trace"] = self._trace
        self._timer = threading.Timer(self.seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def on_response(self, response: Any) -> None:
        """Refuse a compressed body, and count the bytes of another.

        :raises LanguageModelError: for a compressed body
        """
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise LanguageModelError(f"a reply compressed by {encoding[:20]!r}, which was not requested")
        response.stream = _bounded(response.stream, self.max_bytes)

    def stop(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()

    def _trace(self, name: str, info: dict[str, Any]) -> None:
        if name in _CONNECTED:
            self._stream = info["return_value"]

    def _expire(self) -> None:
        self.expired = True
        if self._stream is not None:
            with suppress(OSError, AttributeError):  # it has ended meanwhile
                self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def _bounded(stream: Any, max_bytes: int) -> Any:
    """Return a byte stream of the same class that ends with an error after too many bytes."""

    class Bounded(type(stream)):  # type: ignore[misc]  # clients of different versions have classes of their own
        def __init__(self) -> None:
            pass

        def __iter__(self) -> Iterator[bytes]:
            received = 0
            for part in stream:
                received += len(part)
                if received > max_bytes:
                    raise LanguageModelError(f"a reply of more than {max_bytes} bytes")
                yield part

        def close(self) -> None:
            stream.close()

    return Bounded()

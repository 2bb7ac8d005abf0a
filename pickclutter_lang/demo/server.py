"""Serves the page on loopback, with bounds on what a request may bring and on what stays of it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError

HOST = "127.0.0.1"
MAX_REQUEST_BYTES = 16 * 1024**2
"""Bytes of a request, of an uploaded image too."""
MAX_UPLOADS = 8
"""Uploaded images that are kept; older ones are deleted."""
_TOO_LARGE = f"expected a request of at most {MAX_REQUEST_BYTES // 1024**2} MB; choose a smaller image"
_MAX_SESSIONS = 64
"""Sessions of browsers that gradio keeps, each a copy of its configuration; the page has nothing in them."""
_ALLOWED_HOSTS = [HOST, "localhost"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


@contextmanager
def serve(build_page: Callable[[], Any], port: int) -> Iterator[str]:
    """Serve a page, a `gradio.Blocks`, on 127.0.0.1 from threads of this process; yield its address.

    Requests to other names are refused, since a foreign page could otherwise reach this one by a name of its own.

    :raises InvalidArgumentError: when the port is taken
    """
    with TemporaryDirectory(prefix="pickclutter_uploads_") as uploads:
        os.environ["GRADIO_TEMP_DIR"] = uploads  # the only folder that gradio writes to and serves from
        page = build_page()
        page._queue.pending_messages_per_session.max_size = _MAX_SESSIONS  # answers that nobody has fetched
        from starlette.middleware import Middleware  # gradio needs it
        from starlette.middleware.trustedhost import TrustedHostMiddleware

        middleware = [
            Middleware(TrustedHostMiddleware, allowed_hosts=_ALLOWED_HOSTS),
            Middleware(BoundedRequests, after_upload=partial(_delete_old, page, Path(uploads))),
        ]
        try:
            page.launch(
                server_name=HOST, server_port=port, share=False, quiet=True, ssr_mode=False, show_error=True,
                prevent_thread_lock=True, max_file_size=MAX_REQUEST_BYTES, app_kwargs={"middleware": middleware},
                footer_links=[], state_session_capacity=_MAX_SESSIONS,
            )  # fmt: skip
        except OSError as error:
            raise InvalidArgumentError(
                f"expected a free port, but {port} is not ({error}); choose another port"
            ) from error
        try:
            yield f"http://{HOST}:{port}/"
        finally:
            page.close(verbose=False)


def _delete_old(page: Any, uploads: Path) -> None:
    """Delete all but the newest uploads, and let gradio forget them."""
    found = {path: path.stat().st_mtime_ns for path in uploads.rglob("*") if path.is_file()}
    old = sorted(found, key=found.__getitem__)[:-MAX_UPLOADS]
    for path in old:
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()
    for known in page.temp_file_sets:
        known.difference_update(map(str, old))


class BoundedRequests:
    """ASGI middleware: a request from another site's page gets the status 403, one with too large a body 413.

    A body that hides its size is cut off where it becomes too large.
    """

    def __init__(
        self, app: Callable[[_Message, _Receive, _Send], Awaitable[None]], after_upload: Callable[[], None]
    ) -> None:
        """Wrap an application.

        :param after_upload: called when an upload has ended
        """
        self._app, self._after_upload = app, after_upload

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Pass a request on, with its body bounded, unless it comes from another site's page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        own = b"http://" + headers.get(b"host", b"").lower()
        if any(name == b"origin" and value.lower() != own for name, value in scope["headers"]):
            await _refuse(send, 403, f"expected a request from the page itself; open {own.decode(errors='replace')}/")
            return
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared[:12]) > MAX_REQUEST_BYTES:
            await _refuse(send, 413, _TOO_LARGE)
            return
        try:
            await self._pass_on(scope, receive, send)
        finally:
            if scope["path"].endswith("/upload"):
                self._after_upload()

    async def _pass_on(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        received, too_large, answered = 0, False, False

        async def bounded() -> _Message:
            nonlocal received, too_large
            message = await receive()
            received += len(message.get("body", b""))
            too_large = too_large or received > MAX_REQUEST_BYTES
            return {"type": "http.disconnect"} if too_large else message

        async def answer(message: _Message) -> None:
            nonlocal answered
            if not too_large:
                answered = True
                await send(message)

        try:
            await self._app(scope, bounded, answer)
        except Exception:  # of whatever read the body
            if not too_large:
                raise
        if too_large and not answered:
            await _refuse(send, 413, _TOO_LARGE)


async def _refuse(send: _Send, status: int, text: str) -> None:
    """Answer, and close the connection: the rest of the request is not read."""
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})

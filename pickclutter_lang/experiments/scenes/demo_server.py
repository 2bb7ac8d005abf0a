"""Serves the demo page on loopback, with bounds on what a request may bring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError

HOST = "127.0.0.1"
MAX_REQUEST_BYTES = 16 * 1024**2
"""Bytes of a request, of an uploaded image too."""
_ALLOWED_HOSTS = [HOST, "localhost"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


def serve(page: Any, port: int) -> str:
    """Serve a page on 127.0.0.1 from threads of this process and return its address; `page.close()` ends it.

    Requests to other names are refused, since a foreign page could otherwise reach this one by a name of its own.

    :raises InvalidArgumentError: when the port is taken
    """
    from starlette.middleware import Middleware  # gradio needs it
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    middleware = [Middleware(TrustedHostMiddleware, allowed_hosts=_ALLOWED_HOSTS), Middleware(BoundedRequests)]
    try:
        page.launch(
            server_name=HOST, server_port=port, share=False, quiet=True, ssr_mode=False, show_error=True,
            prevent_thread_lock=True, max_file_size=MAX_REQUEST_BYTES, app_kwargs={"middleware": middleware},
        )  # fmt: skip
    except OSError as error:
        raise InvalidArgumentError(f"expected a free port, but {port} is not ({error}); choose another port") from error
    return f"http://{HOST}:{port}/"


class BoundedRequests:
    """ASGI middleware: a request with too large a body gets the status 413 or, if it hides its size, is cut off."""

    def __init__(self, app: Callable[[_Message, _Receive, _Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Pass a request on, with its body bounded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared[:12]) > MAX_REQUEST_BYTES:
            await send({"type": "http.response.start", "status": 413, "headers": [(b"content-type", b"text/plain")]})
            text = f"expected a request of at most {MAX_REQUEST_BYTES // 1024**2} MB; choose a smaller image"
            await send({"type": "http.response.body", "body": text.encode()})
            return
        received = 0

        async def bounded() -> _Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message if received <= MAX_REQUEST_BYTES else {"type": "http.disconnect"}

        await self._app(scope, bounded, send)

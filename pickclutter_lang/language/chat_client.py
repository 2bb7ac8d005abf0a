"""Client of a language model behind an OpenAI-compatible chat API; needs the extra `llm`."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlsplit

from pickclutter_lang.errors import InvalidArgumentError, LanguageModelError, MissingExtraError
from pickclutter_lang.language.reply_limits import ReplyLimits

_USER_AGENT = "pickclutter-lang"
# The client would also send the operating system, the Python version and OPENAI_* variables; these are dropped.
_SENT_HEADERS = {"host", "accept", "accept-encoding", "connection", "content-type", "content-length", "authorization"}
_RAW_RESPONSE_HEADER = "x-stainless-raw-response"  # the client keeps by it that the response is returned unparsed
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0  # seconds, as the client itself waits after a failed request
_MAX_ANSWER_LENGTH = 1000  # characters; what is longer is no single sentence
_MAX_MESSAGE_LENGTH = 160  # characters of a server's message in an error
_THINKING = re.compile(r"(?:\A|<think>)(?:(?!<think>).)*?</think>", re.DOTALL)
"""Some servers put the opening mark into the prompt, so that an answer has the closing one alone."""
_PREAMBLE = re.compile(r"\A\s*(?:sure|certainly|of course|here)\b[^\n]*:\s*\n(?=.*\S)", re.IGNORECASE | re.DOTALL)
_REFUSAL = re.compile(
    r"\A(?:i(?:'|’)?m sorry|i am sorry|sorry|i apologi[sz]e|i (?:can(?:'|’)t|cannot|am unable|won(?:'|’)t)"
    r"|i(?:'|’)m (?:unable|not able)|unfortunately|as an ai\b|as a language model)",
    re.IGNORECASE,
)
_QUOTES = (('"', '"'), ("“", "”"), ("'", "'"), ("‘", "’"), ("«", "»"), ("`", "`"), ("**", "**"), ("*", "*"))


class ChatClient:
    """A language model that answers one message at a time, without memory of the others.

    Sent are the model's name, the message, the temperature if there is one, and the key; redirects are not followed.
    Failed connections, timeouts and the states 408, 409, 429 and 5xx are tried again by the client, with back-off and
    by the server's `Retry-After`; useless answers are requested again. A reply has to be complete within the timeout,
    and is bounded in its bytes. The key is kept out of what is returned and raised.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key_env: str | None = "OPENAI_API_KEY",
        temperature: float | None = None,
        timeout: float = 60.0,
        retries: int = 5,
    ) -> None:
        """Set up the client; nothing is sent yet.

        :param model: the model's name at the server
        :param base_url: address of the interface, such as https://api.openai.com/v1 or http://localhost:11434/v1
        :param api_key_env: environment variable with the key; None for a server that wants none
        :param temperature: of the sampling; None leaves it to the server
        :param timeout: seconds until an answer has to be complete
        :param retries: how often a failed request or a useless answer is repeated
        :raises MissingExtraError: without the package `openai`
        :raises LanguageModelError: when the environment has no key
        """
        try:
            import openai
        except ImportError as error:
            raise MissingExtraError("openai", "llm") from error
        self.model, self.host = model, host_of(base_url)
        self._temperature, self._timeout = temperature, timeout
        self._retries, self._api_key_env = retries, api_key_env
        self._key = _key(api_key_env)
        self._openai = openai
        self._limits = ReplyLimits(timeout)
        self._client = openai.OpenAI(
            api_key=self._key or "none",
            base_url=base_url,
            timeout=timeout,
            max_retries=retries,
            http_client=openai.DefaultHttpxClient(
                follow_redirects=False,
                timeout=timeout,
                limits=type(openai.DEFAULT_CONNECTION_LIMITS)(max_keepalive_connections=0),
                event_hooks={
                    "request": [self._strip_headers, self._limits.on_request],
                    "response": [self._limits.on_response],
                },
            ),
        )

    def __enter__(self) -> ChatClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def complete(self, message: str, wait: Callable[[float], object] = time.sleep) -> str:
        """Return the cleaned answer to a message.

        :param wait: called with the seconds to wait before a useless answer is requested again
        :raises LanguageModelError: when the server cannot be reached, refuses, or gives no usable answer
        """
        for attempt in range(self._retries + 1):
            try:
                answer = clean_answer(_content(self._send(message)))
                if answer == self._redact(answer):
                    return answer
                unusable = UnusableAnswerError("a text with the key in it")
            except UnusableAnswerError as error:
                unusable = UnusableAnswerError(self._redact(str(error)))
            if attempt < self._retries:
                wait(min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT))
        raise LanguageModelError(
            f"expected a description from {self.model} at {self.host}, but {self._retries + 1} answers were of no use, "
            f"the last one: {unusable}; try another model= or instruction="
        ) from None  # its traceback would show the answer as it came

    def _send(self, message: str) -> bytes:
        openai = self._openai
        try:
            # The answer is checked here: the client takes whatever the server sends for an answer.
            raw = self._client.chat.completions.with_raw_response.create(
                **request_body(self.model, message, self._temperature)
            )
            return bytes(raw.http_response.content)
        except openai.OpenAIError as error:
            self._fail(error)
        finally:
            self._limits.stop()

    def _fail(self, error: Exception) -> NoReturn:
        """Say in one line what went wrong and what to do, without the key."""
        openai, retry_hint = self._openai, "run the same command again later, received answers are kept"
        status = getattr(error, "status_code", None)
        attempts = f"after {self._retries + 1} attempts" if self._retries else "at once"
        if isinstance(error, openai.APITimeoutError) or (status is None and self._limits.expired):
            reason = (
                f"{self.host} gave no complete answer within {self._timeout:g} s, {attempts}; raise timeout=, or "
                f"{retry_hint}"
            )
        elif isinstance(error.__cause__, LanguageModelError):
            reason = f"{self.host} sent {error.__cause__}, {attempts}; check base_url="
        elif isinstance(error, openai.APIConnectionError):
            reason = (
                f"cannot reach {self.host} ({self._one_line(error.__cause__ or error)}), {attempts}; check base_url="
            )
        elif status in (401, 403):
            where = f"the key in {self._api_key_env}" if self._api_key_env else "a request without a key"
            reason = f"{self.host} refused {where} ({status}: {self._one_line(error)}); check the key and api_key_env="
        elif status == 404:
            reason = f"{self.host} has no model {self.model!r} or no such address (404); check model= and base_url="
        elif status is not None and 300 <= status < 400:
            reason = f"{self.host} points to another address ({status}), which got no request; put it into base_url="
        elif status == 429 or (status is not None and status >= 500):
            reason = f"{self.host} still answers {status} ({self._one_line(error)}), {attempts}; {retry_hint}"
        else:
            reason = (
                f"{self.host} refused the request ({status}: {self._one_line(error)}); check model= and temperature="
            )
        raise LanguageModelError(reason) from None  # its traceback would show headers

    def _one_line(self, error: BaseException) -> str:
        body = getattr(error, "body", None)
        server_message = body.get("message") if isinstance(body, dict) else None
        text = " ".join(str(server_message or error).split())
        text = self._redact(text)
        return text if len(text) <= _MAX_MESSAGE_LENGTH else text[: _MAX_MESSAGE_LENGTH - 3] + "..."

    def _redact(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text

    def _strip_headers(self, request: Any) -> None:
        """Drop every header that a request does not need, before it is sent."""
        for name in list(request.headers):
            if name.lower() not in {*_SENT_HEADERS, _RAW_RESPONSE_HEADER} or (
                name.lower() == "authorization" and not self._key
            ):
                del request.headers[name]
        request.headers["User-Agent"] = _USER_AGENT


def request_body(model: str, message: str, temperature: float | None = None) -> dict[str, Any]:
    """Return the body of the request for one message, as it is sent."""
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": message}]}
    return body if temperature is None else {**body, "temperature": temperature}


class UnusableAnswerError(LanguageModelError):
    """An answer that is no description: empty, a refusal, cut off, or no text at all."""


def clean_answer(text: str) -> str:
    """Return an answer as one line, without thoughts, preamble and quotation marks around it.

    :raises UnusableAnswerError: for an empty answer, a refusal, or what is no sentence
    """
    answer = _THINKING.sub("", text)
    if "<think>" in answer:
        raise UnusableAnswerError("thoughts without an end")
    line = " ".join(_PREAMBLE.sub("", answer).split())
    for opening, closing in _QUOTES:
        inner = line[len(opening) : len(line) - len(closing)]
        if line.startswith(opening) and line.endswith(closing) and inner and opening not in inner:
            line = inner.strip()
    if not line:
        raise UnusableAnswerError("an empty text")
    excerpt = repr(line if len(line) <= _MAX_MESSAGE_LENGTH else line[: _MAX_MESSAGE_LENGTH - 3] + "...")
    if _REFUSAL.match(line):
        raise UnusableAnswerError(f"a refusal, {excerpt}")
    if len(line) > _MAX_ANSWER_LENGTH:
        raise UnusableAnswerError(f"{len(line)} characters instead of a sentence, {excerpt}")
    if sum(map(str.isalpha, line)) < len(line) / 2 or not line.replace("\N{REPLACEMENT CHARACTER}", "").isprintable():
        raise UnusableAnswerError(f"no sentence, {excerpt}")
    return line


def host_of(base_url: str) -> str:
    """Return host and port of an address.

    :raises InvalidArgumentError: for what is no http or https address
    """
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("http", "https"):
        raise InvalidArgumentError(f"expected base_url to be an http or https address, but got {base_url!r}")
    return f"{host}:{port}" if port else host


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise LanguageModelError(
            f"expected a key in the environment variable {variable}, but it is empty; run: export {variable}=..., "
            "name another one with api_key_env=, or set api_key_env=null for a server that wants no key"
        )
    return key


def _content(body: bytes) -> str:
    """Return the text in the body of a response, whatever the server made of it."""
    excerpt = repr(body[:60].decode("utf-8", "replace"))
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise UnusableAnswerError(f"no JSON, {excerpt}") from error
    except RecursionError:
        raise UnusableAnswerError(f"JSON that is nested too deep, {excerpt}") from None
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise UnusableAnswerError(f"JSON without choices, {excerpt}")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise UnusableAnswerError(f"a choice without a message, {excerpt}")
    if message.get("refusal") or choices[0].get("finish_reason") == "content_filter":
        raise UnusableAnswerError(f"a refusal, {message.get('refusal') or 'by the content filter'!r}")
    if choices[0].get("finish_reason") == "length":
        raise UnusableAnswerError("a text that was cut off")
    text = message.get("content")
    if not isinstance(text, str):
        raise UnusableAnswerError(f"a message without a text, {excerpt}")
    return text

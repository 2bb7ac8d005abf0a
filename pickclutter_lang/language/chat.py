"""Servers with OpenAI's chat interface: hosted ones, vLLM, Ollama, llama.cpp; through OpenAI's client, extra `llm`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Annotated, Any, NamedTuple, TypeVar

from pickclutter_lang.errors import InvalidArgumentError, LanguageModelError, MissingExtraError
from pickclutter_lang.utils.validation import within

ATTEMPTS = 3
"""At an answer that is of use."""
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|\[::1\]")
Found = TypeVar("Found")


class UnusableAnswerError(LanguageModelError):
    """An answer that is of no use: empty, a refusal, cut off, or not in the form that was asked for."""


class Reply(NamedTuple):
    """Text of a reply, and the tokens of request and reply, 0 where the server does not count them."""

    text: str
    request_tokens: int
    reply_tokens: int


@dataclass(frozen=True, kw_only=True)
class ChatConfig:
    """A model behind OpenAI's chat interface."""

    model: str
    """Name of the model at the server."""
    base_url: str = "https://api.openai.com/v1"
    """Address of a server with OpenAI's chat interface."""
    api_key_env: str | None = "OPENAI_API_KEY"
    """Environment variable with the key. null: the server wants none."""
    temperature: Annotated[float, within, 0.0, 10.0] | None = None
    """Temperature of the sampling. null: the server's own."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if not self.model.strip():
            raise InvalidArgumentError("expected model to be the name of a language model, but it is empty")
        if self.temperature is not None:
            within("temperature", self.temperature, 0.0, 10.0)
        self.host  # noqa: B018  # checked

    @property
    def host(self) -> str:
        """Host and port of the server.

        :raises InvalidArgumentError: when `base_url` is no http or https address
        """
        found = re.fullmatch(r"https?://(?:[^/@]*@)?([^/@\s]+)(?:/.*)?", self.base_url)
        if found is None:
            raise InvalidArgumentError(f"expected base_url to be an http or https address, but got {self.base_url!r}")
        return found[1]

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        return _LOOPBACK.fullmatch(re.sub(r":\d+$", "", self.host)) is not None

    def request(self, content: str | Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        """Return the body of a request with one message of the user."""
        sampling = {} if self.temperature is None else {"temperature": self.temperature}
        return {"model": self.model, "messages": [{"role": "user", "content": content}], **sampling, **more}


class ChatClient:
    """Sends requests. The client repeats those that failed by itself; a reply of no use is asked for again here."""

    def __init__(self, config: ChatConfig, timeout_s: float = 600.0, retries: int = 2) -> None:
        """Take the server; the key is read from the environment with the first request.

        :param timeout_s: longest wait for a reply, seconds
        :param retries: how often a request is repeated that failed, as for a busy server
        """
        self.config = config
        self.timeout_s = timeout_s
        self.retries = retries

    @cached_property
    def _client(self) -> Any:
        try:
            import openai
        except ImportError as error:
            raise MissingExtraError("openai", "llm") from error
        name = self.config.api_key_env
        key = "none" if name is None else os.environ.get(name, "").strip()
        if not key:
            raise LanguageModelError(
                f"expected a key in the environment variable {name}, but it is empty; name another one with "
                "api_key_env=, or set api_key_env=null for a server that wants no key"
            )
        return openai.OpenAI(
            api_key=key, base_url=self.config.base_url, timeout=self.timeout_s, max_retries=self.retries
        )

    def ask(self, request: Mapping[str, Any], what: str, read: Callable[[Reply], Found]) -> Found:
        """Send a request, at most three times, until `read` takes the reply, and return what it returns.

        :param what: what is asked for, for the error's message
        :param read: raises UnusableAnswerError for a reply that is of no use
        :raises MissingExtraError: without the package `openai`
        :raises UnusableAnswerError: when no reply was of use
        :raises LanguageModelError: when the server cannot be reached, or refuses the request
        """
        client = self._client
        import openai

        reason = ""
        kind: type[LanguageModelError] = UnusableAnswerError
        for _ in range(ATTEMPTS):
            try:
                return read(_reply(client.chat.completions.create(**request)))
            except UnusableAnswerError as error:
                reason = f"{ATTEMPTS} answers were of no use, the last one: {error}"
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if "response_format" not in request:
                    reason = self._reason(error)
                    kind = LanguageModelError
                    break
                request = {key: value for key, value in request.items() if key != "response_format"}
            except (openai.OpenAIError, ValueError) as error:
                passes = isinstance(error, openai.RateLimitError | openai.APITimeoutError | openai.InternalServerError)
                reason = self._reason(error)
                kind = UnusableAnswerError if passes else LanguageModelError
                break
        raise kind(
            f"expected {what} from {self.config.model} at {self.config.host}, but got none ({reason}); check "
            "base_url=, model= and api_key_env=, then run the same command again: received answers are kept"
        )

    def _reason(self, error: Exception) -> str:
        """Return what a server says in one line, without the key."""
        return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}".replace(self._client.api_key, "***")


def _reply(completion: Any) -> Reply:
    """Return the reply of a completion, whatever the server made of it."""
    usage = getattr(completion, "usage", None)
    tokens = [getattr(usage, key, None) or 0 for key in ("prompt_tokens", "completion_tokens")]
    try:
        choice = completion.choices[0]
        whole = not choice.message.refusal and choice.finish_reason not in ("content_filter", "length")
        text = str(choice.message.content or "") if whole else ""
    except (AttributeError, IndexError, TypeError):
        text = ""
    return Reply(text, *tokens)


def today() -> str:
    """Return the date of an answer."""
    return datetime.now(timezone.utc).date().isoformat()

"""A large vision-language model that names the numbered segments of a picture, and the answers that it gave."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import DatasetError
from pickclutter_lang.kinds import all_kinds
from pickclutter_lang.labeling.picture import NumberedPicture
from pickclutter_lang.labeling.question import VERSION, question, read_answer, reply_format
from pickclutter_lang.language.chat import ChatClient, ChatConfig, Reply, today
from pickclutter_lang.objects.catalog import all_objects
from pickclutter_lang.utils.io import write_json_lines
from pickclutter_lang.utils.reading import Sha256, Text, read_json_lines

_TILE, _TILE_TOKENS, _PICTURE_TOKENS, _LETTERS = 512, 170, 85, 4
"""Of the number of tokens of a picture, as GPT-4o has it, and letters of a token."""


@dataclass(frozen=True)
class Answer:
    """What a model said of a picture.

    - `picture`: hash of the picture; `question`: of the question, whose form has the number `version`
    - `model`, `host` of its server, and `date`
    - `names`: of each number, None where it named none
    - `tokens`: of request and reply, as the server counted them
    """

    picture: Sha256
    question: Sha256
    version: int
    model: Text
    host: Text
    date: Text
    names: tuple[Text | None, ...]
    tokens: tuple[int, int] = (0, 0)

    @property
    def source(self) -> str:
        """Where an example comes from that it gave, in a line."""
        return f"{self.model} at {self.host}, {self.date}, picture {self.picture[:12]}, question {self.version}"


class LargeModel:
    """A vision-language model behind OpenAI's chat interface. It is asked once about a picture, whatever it answered.

    Pictures leave this machine, unless the server is on it.
    """

    def __init__(
        self,
        model: str,
        base_url: str = ChatConfig.base_url,
        api_key_env: str | None = ChatConfig.api_key_env,
        temperature: float | None = None,
        timeout_s: float = 60.0,
        answers: str | Path | None = None,
        retries: int = 2,
    ) -> None:
        """Take a server; nothing is sent yet.

        Arguments that are not named here are those of `ChatConfig`.

        :param timeout_s: longest wait for a reply, seconds
        :param answers: file of JSON lines that keeps all answers; None: they are kept as long as this object
        :param retries: how often a request is repeated that failed; 0 where an arm waits
        :raises InvalidArgumentError: for what is no server
        :raises DatasetError: for a damaged file of answers
        """
        config = ChatConfig(model=model, base_url=base_url, api_key_env=api_key_env, temperature=temperature)
        config.validate()
        self.config = config
        self._client = ChatClient(config, timeout_s, retries)
        self._file = None if answers is None else Path(answers)
        self._lock = threading.Lock()
        self.answers = list[Answer]()
        """In the order in which they came."""
        if self._file is not None and self._file.exists():
            remedy = "delete that line, whose picture is then asked again"
            self.answers = read_json_lines(self._file, Answer, DatasetError, remedy, may_be_cut=True)
            write_json_lines(self._file, map(asdict, self.answers))

    def known(self, picture: NumberedPicture, names: Mapping[str, Sequence[str]] | None) -> Answer | None:
        """Return the answer that was given before to a question about a picture, None where there is none."""
        asked = picture.sha256, _hash(question(len(picture.segments), names)), self.config.model
        return next((one for one in self.answers if (one.picture, one.question, one.model) == asked), None)

    def ask(self, picture: NumberedPicture, names: Mapping[str, Sequence[str]] | None) -> Answer:
        """Return what the model says of a picture, at once where it was asked before.

        :param names: name -> synonyms, out of which it names segments; None: it names what it sees
        :raises UnusableAnswerError: when none of three replies was of use, or the server is too busy: others may be
        :raises PickClutterError: what `ChatClient.ask` raises
        """
        if (known := self.known(picture, names)) is not None:
            return known
        count = len(picture.segments)
        text = question(count, names)
        known_names = None if names is None else [*names]
        replies = list[Reply]()

        def read(reply: Reply) -> list[str | None]:
            replies.append(reply)
            return read_answer(reply.text, count, known_names)

        url = f"data:image/png;base64,{base64.b64encode(picture.png).decode()}"
        shown = {"type": "image_url", "image_url": {"url": url, "detail": "high"}}
        content: list[dict[str, Any]] = [{"type": "text", "text": text}, shown]
        request = self.config.request(content, response_format=reply_format(known_names))
        found = self._client.ask(request, f"names of the {count} segments of a picture", read) if count else []
        tokens = sum(one.request_tokens for one in replies), sum(one.reply_tokens for one in replies)
        about = picture.sha256, _hash(text), VERSION, self.config.model, self.config.host, today()
        answer = Answer(*about, tuple(found), tokens)
        with self._lock:
            self.answers.append(answer)
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                with self._file.open("a") as stream:
                    stream.write(json.dumps(asdict(answer)) + "\n")
        return answer


def with_synonyms(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return names, each with the synonyms that the package knows for it, without those that are names themselves."""
    known = {item.name.casefold(): item.synonyms for item in (*all_kinds(), *all_objects())}
    taken = {name.casefold() for name in names}
    return {name: tuple(one for one in known.get(name.casefold(), ()) if one not in taken) for name in names}


def estimated_tokens(picture: NumberedPicture, names: Mapping[str, Sequence[str]] | None) -> int:
    """Return about how many tokens a request with a picture has; models count differently."""
    height, width = picture.pixels.shape[:2]
    tiles = -(-height // _TILE) * -(-width // _TILE)
    return _PICTURE_TOKENS + tiles * _TILE_TOKENS + len(question(len(picture.segments), names)) // _LETTERS


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

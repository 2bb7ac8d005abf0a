"""The objects that a policy was shown: keys of their example crops, and how they recognize a crop.

A key is what the crop encoder says of an example, of the object alone (see `resampling.object_crop`). It has two parts
of equal weight: features of the embedded teacher, and of EfficientNet-Lite0 as trained on ImageNet, which knows
photographs. Each is centered, and projected by linear discriminant analysis, so that views of one object lie together
and those of others apart. `assets/crop_metric.safetensors` has these projections, which `scripts/fit_teaching.py` fits,
and keys of generated objects, the rivals of what is taught. Nothing is trained when a policy is
shown an object.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load
from typing_extensions import NotRequired

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, UnknownObjectError
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.policy_folder.folder import EXAMPLES_FILE, learned_bytes, metadata_of, read_learned
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.reading import Line, Sha256, Text, damage_of, read_file
from pickclutter_lang.utils.typing import Float32Array, FloatArray
from pickclutter_lang.utils.validation import did_you_mean

MAX_NAMES, MAX_EXAMPLES = 1000, 64
"""Most names of a policy, and most examples of a name."""
MAX_RIVALS = 16
"""Most rivals of an example: keys of other objects in its image."""
_SCHEMA = "2"
_KEY = "examples"
_MAX_BYTES = 256 * 2**20
BETA = 8.0
"""Sharpness of the affinity of a crop and an example."""
_COHORT = 100
"""Rivals that a similarity is compared with: the most similar ones."""
_NO_RIVAL = -2.0
"""Less than any similarity."""
_RIVALRY = 0.5
"""Share of the best other taught name's score that counts against a name."""
_SLOPE = 0.93
_BIAS = -0.36
"""Of the log odds, by the normalized similarity; fitted to piles of kinds, see `scripts/fit_teaching.py`."""


@dataclass(frozen=True)
class CropMetric:
    """What turns features of the crop encoder into keys, and keys of rivals.

    - `encoder`: fingerprint of all that makes a key: the networks of the crop encoder and the projections
    - `teacher`: fingerprint of the embedded teacher
    - `mean` [F], and `projections`, [F_i, D_i] of each part of the features; F and D are the sums of F_i and of D_i
    - `rivals` [R, D], L2-normalized, of generated objects, at least 100
    """

    encoder: str
    teacher: str
    mean: Float32Array
    projections: tuple[Float32Array, ...]
    rivals: Float32Array

    @property
    def teacher_width(self) -> int:
        """Number of the teacher's features, which are the first."""
        return len(self.projections[0])

    def keys(self, features: Float32Array) -> Float32Array:
        """Return L2-normalized keys [N, D] of features [N, F]."""
        ends = np.cumsum([len(one) for one in self.projections])[:-1]
        parts = np.split(features - self.mean, ends, axis=1)
        return normalized(np.hstack([normalized(x @ one) for x, one in zip(parts, self.projections, strict=True)]))


def normalized(values: Float32Array) -> Float32Array:
    """Return rows of length 1."""
    out: Float32Array = values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-12)
    return out


def keys_of(features: Float32Array) -> Float32Array:
    """Return the keys [n, D] of n objects by features [turns, n, F] of their crops: the mean over the turns."""
    turns, count = features.shape[:2]
    keys = crop_metric().keys(features.reshape(turns * count, features.shape[2]))
    return normalized(keys.reshape(turns, count, keys.shape[1]).mean(axis=0))


@lru_cache(maxsize=1)
def crop_metric() -> CropMetric:
    """Read the metric of the embedded crop encoder.

    :raises CheckpointError: when the package's file is missing or damaged
    """
    path = Path(str(files("pickclutter_lang.assets") / "crop_metric.safetensors"))
    with damage_of(path, CheckpointError, "install the package again"):
        data = read_file(path, _MAX_BYTES)
        values = {name: value.astype(np.float32) for name, value in load(data).items()}
        about = metadata_of(data)
        projections = values["teacher"], values["imagenet"]
        return CropMetric(about["encoder"], about["teacher"], values["mean"], projections, values["rivals"])


def bare_name(name: str) -> str:
    """Return what instructions call an object: "red mug" of "the red mug"."""
    return re.sub(r"^(?:(?:the|an?)\s+)+", "", name.strip(), flags=re.IGNORECASE)


def spelling(name: str) -> str:
    """Return a name as a memory has it: without its article.

    :raises InvalidArgumentError: for a name that is no line of text
    """
    return bare_name(*validate_label_names([name]))


def _no_keys() -> Float32Array:
    return np.zeros((0, 0), np.float32)


class _About(TypedDict):
    """What is noted in the file of a memory."""

    schema: str
    encoder: Sha256
    names: list[Text]
    rival_names: list[Text]
    sources: NotRequired[dict[str, Line]]
    sha256: Sha256


@dataclass(frozen=True)
class ExampleMemory:
    """The memory of a policy: names of the M examples, their keys [M, D], and what lay beside them.

    - `rivals` [R, D]: keys of other objects in the images of examples, and `rival_names`: whose examples' images
    - `encoder`: fingerprint of the crop encoder of the keys
    - `sources`: hash of a key -> the large model that named the example, see `Answer.source`; none where a person did

    Equal examples make an equal memory in any order: rows are sorted, and each is there once.
    """

    encoder: str
    names: tuple[str, ...] = ()
    keys: Float32Array = field(default_factory=_no_keys)
    rival_names: tuple[str, ...] = ()
    rivals: Float32Array = field(default_factory=_no_keys)
    sources: Mapping[str, str] = field(default_factory=dict)
    _cohorts: tuple[FloatArray, FloatArray] | None = field(default=None, init=False, repr=False, compare=False)

    @cached_property
    def taught(self) -> tuple[str, ...]:
        """The names that were taught, in alphabetical order."""
        return tuple(sorted(set(self.names)))

    def count(self, name: str) -> int:
        """Return the number of examples of a name."""
        return self.names.count(self.spelled(name))

    def spelled(self, name: str, known: Sequence[str] = ()) -> str:
        """Return a name without article, as it was taught or is in `known` where only upper case differs.

        :raises InvalidArgumentError: for a name that is no line of text
        """
        bare = spelling(name)
        alike = {other.casefold(): other for other in (*known, *self.taught)}
        return bare if bare in self.taught else alike.get(bare.casefold(), bare)

    def add(self, name: str, keys: Float32Array, rivals: Float32Array, source: str = "") -> ExampleMemory:
        """Return a memory with further examples of a name.

        :param keys: [n, D], from `CropMetric.keys`
        :param rivals: [r, D], of other objects in the same images
        :param source: the large model that named them
        :raises InvalidArgumentError: for a name that is no line of text, or more than the memory holds
        """
        name = self.spelled(name)
        taught = _sorted((*self.names, *[name] * len(keys)), [*self.keys, *keys])
        beside = _sorted((*self.rival_names, *[name] * len(rivals)), [*self.rivals, *rivals])
        sources = {**self.sources, **{_hash(key): source for key in keys}} if source else self.sources
        out = replace(self, names=taught[0], keys=taught[1], rival_names=beside[0], rivals=beside[1], sources=sources)
        if out.count(name) > MAX_EXAMPLES or len(out.taught) > MAX_NAMES:
            raise InvalidArgumentError(
                f"expected at most {MAX_NAMES} names with {MAX_EXAMPLES} examples each, but got {len(out.taught)} with "
                f"{out.count(name)} of {name}; further ones tell nothing new: teach with fewer"
            )
        return out

    def forget(self, names: Sequence[str]) -> ExampleMemory:
        """Return a memory without some names.

        :raises UnknownObjectError: for a name that was not taught
        """
        names = [self.spelled(name) for name in names]
        for name in names:
            if name not in self.taught:
                raise UnknownObjectError(
                    f"expected a name out of {', '.join(self.taught) or 'nothing: none was taught'}, but got {name!r}"
                    f"{did_you_mean(name, self.taught)}"
                )
        beside = [n for n, name in enumerate(self.rival_names) if name not in names]
        rivals = self.rivals[beside] if beside else _no_keys()
        without = replace(self, rival_names=tuple(self.rival_names[n] for n in beside), rivals=rivals)
        return without.only([name not in names for name in self.names])

    def only(self, kept: Sequence[bool] | NDArray[np.bool_]) -> ExampleMemory:
        """Return a memory with some of the examples, by a bool [M]."""
        rows = np.flatnonzero(kept)
        keys = self.keys[rows] if len(rows) else _no_keys()
        hashes = {_hash(key) for key in keys}
        sources = {key: source for key, source in self.sources.items() if key in hashes}
        return replace(self, names=tuple(self.names[n] for n in rows), keys=keys, sources=sources)

    @property
    def source_of(self) -> list[str]:
        """Where each of the M examples comes from, "" where a person showed it."""
        return [self.sources.get(_hash(key), "") for key in self.keys]

    def log_odds(self, crops: Float32Array, metric: CropMetric) -> FloatArray:
        """Return the log odds [N, T] that crops are the objects of `taught`.

        The similarity of a crop to a name is normalized by adaptive score normalization (Matejka et al., 2017), as in
        speaker verification: by mean and deviation of the rivals that are most similar to the name, and of those most
        similar to the crop. So one threshold serves one taught object as it serves a hundred. Then the name has the
        best other one against it.

        :param crops: keys [N, D]
        """
        scores = self._normalized(crops, metric)
        others = np.zeros((len(crops), 1))
        if len(self.taught) > 1:
            second, best = np.partition(scores, -2, axis=1)[:, -2:].T[:, :, None]
            others = np.maximum(np.where(scores >= best, second, best), 0.0)
        return np.asarray(_SLOPE * (scores - _RIVALRY * others) + _BIAS)

    def _normalized(self, crops: Float32Array, metric: CropMetric) -> FloatArray:
        """Return the normalized similarities [N, T] of crops to names, in deviations."""
        similarities = self._similarities(crops)
        nearest = _largest(crops @ metric.rivals.T)[:, None]
        none = np.full((len(crops), 1), _NO_RIVAL)
        to_rivals = np.hstack([crops @ self.rivals.T, none]) if len(self.rivals) else none
        of_crop = _mean_and_deviation(nearest, to_rivals[:, self._beside])
        of_name = self._of_name(metric)
        by_crop, by_name = (
            (similarities - mean) / np.maximum(deviation, 1e-6) for mean, deviation in (of_crop, of_name)
        )
        return np.asarray((by_crop + by_name) / 2)

    def _similarities(self, crops: Float32Array) -> FloatArray:
        """Return the similarities [N, T] of crops to names by their keys: the cosine, where a name has one key.

        It is the logarithm of the mean affinity, with the affinity of Tip-Adapter's cache.
        """
        keys, first = self._by_name
        affinities = np.exp(-BETA * (1 - crops @ keys.T))
        return _similarity_of(np.add.reduceat(affinities, first, axis=1) / np.diff(first, append=len(keys)))

    def _of_name(self, metric: CropMetric) -> tuple[FloatArray, FloatArray]:
        """Return mean and deviation, [T] each, of the similarities of the rivals that are most similar to each name."""
        if self._cohorts is None:
            beside = np.full(self._beside.shape, _NO_RIVAL)
            keys = np.split(self._by_name[0], self._by_name[1][1:])
            for n in np.flatnonzero((self._beside >= 0).any(axis=1)).tolist():
                rows = self._beside[n][self._beside[n] >= 0]
                affinities = np.exp(-BETA * (1 - self.rivals[rows] @ keys[n].T))
                beside[n, : len(rows)] = _similarity_of(affinities.mean(axis=1))
            nearest = _largest(self._similarities(metric.rivals).T)
            object.__setattr__(self, "_cohorts", _mean_and_deviation(nearest, beside))
        assert self._cohorts is not None
        return self._cohorts

    @cached_property
    def _by_name(self) -> tuple[Float32Array, NDArray[np.int64]]:
        """The keys [M, D] in the order of `taught`, and the row [T] of the first one of each name."""
        owners = np.array(self.names)
        order = np.argsort(owners, kind="stable")
        return self.keys[order], np.searchsorted(owners[order], np.array(self.taught))

    @cached_property
    def _beside(self) -> NDArray[np.int64]:
        """Rows [T, r] of `rivals` that lay beside the examples of each name, then -1."""
        rows: dict[str, list[int]] = {name: [] for name in self.taught}
        for row, name in enumerate(self.rival_names):
            rows[name].append(row)
        most = max(map(len, rows.values()), default=0)
        return np.array([own + [-1] * (most - len(own)) for own in rows.values()], np.int64).reshape(len(rows), most)

    def files(self) -> dict[str, bytes]:
        """Return the file of the memory in a policy folder, by its name; none where nothing was taught.

        :raises InvalidArgumentError: when it is larger than `load` takes
        """
        if not self.names:
            return {}
        about: dict[str, Any] = {"schema": _SCHEMA, "encoder": self.encoder}
        about |= {"names": self.names, "rival_names": self.rival_names}
        about |= {"sources": dict(self.sources)} if self.sources else {}
        data = learned_bytes(_KEY, {"keys": self.keys, "rivals": self.rivals}, about)
        if len(data) > _MAX_BYTES:
            raise InvalidArgumentError(
                f"expected examples of {_MAX_BYTES / 1e6:.0f} MB at most, but got {len(data) / 1e6:.0f} MB; teach fewer"
            )
        return {EXAMPLES_FILE: data}

    def save(self, folder: Path) -> None:
        """Write the memory of a policy folder atomically, or remove it where nothing is taught.

        :raises PickClutterError: DatasetError when it cannot be written, or what `files` raises
        """
        for name, data in self.files().items():
            atomic_write(folder / name, data)
        if not self.names:
            (folder / EXAMPLES_FILE).unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> ExampleMemory:
        """Read what `save` wrote.

        :raises CheckpointError: when it is damaged, or of another encoder than this package's
        """
        remedy = "teach the policy again: pickclutter teach"
        with damage_of(path, CheckpointError, remedy):
            tensors, about = read_learned(path, _KEY, _About, _MAX_BYTES)
        if about["encoder"] != crop_metric().encoder:
            raise CheckpointError(
                f"the examples in {path} are of another crop encoder ({about['encoder'][:8]}) than this package's "
                f"({crop_metric().encoder[:8]}); {remedy}"
            )
        with damage_of(path, CheckpointError, remedy):
            if about["schema"] != _SCHEMA:
                raise ValueError(f"expected the schema {_SCHEMA}, but got {about['schema']}")
            names, rival_names = _one_spelling(about["names"], about["rival_names"])
            _check_keys(tensors["keys"], names)
            _check_keys(tensors["rivals"], rival_names)
            of_names = Counter(names)
            beside = Counter(rival_names)
            most = max(of_names.values(), default=0)
            most_beside = max(beside.values(), default=0)
            if not 1 <= len(of_names) <= MAX_NAMES or most > MAX_EXAMPLES:
                raise ValueError(f"expected 1 to {MAX_NAMES} names with {MAX_EXAMPLES} examples each at most")
            if not beside.keys() <= of_names.keys() or most_beside > MAX_EXAMPLES * MAX_RIVALS:
                raise ValueError(f"expected rivals of these names, {MAX_RIVALS} of each example at most")
        rows = *_sorted(names, tensors["keys"]), *_sorted(rival_names, tensors["rivals"])
        return cls(about["encoder"], *rows, about.get("sources", {}))


def _one_spelling(*owners: Sequence[str]) -> list[list[str]]:
    """Return lists of names, each name in one spelling: a memory of an earlier release may have several."""
    spellings = {name: spelling(name) for name in dict.fromkeys(name for names in owners for name in names)}
    first = {one.casefold(): one for one in reversed(spellings.values())}
    return [[first[spellings[name].casefold()] for name in names] for names in owners]


def _check_keys(keys: NDArray[Any], names: Sequence[str]) -> None:
    """Raise ValueError unless there is a key of each name, of length 1."""
    form = (len(names), crop_metric().rivals.shape[1]) if names else (0, 0)
    if keys.shape != form or keys.dtype != np.float32 or (abs(np.linalg.norm(keys, axis=1) - 1) > 1e-3).any():
        raise ValueError(f"expected float32 keys {list(form)} of length 1, but got {keys.dtype} {list(keys.shape)}")


def load_examples(folder: Path) -> ExampleMemory:
    """Return the memory of a policy folder, which is empty where it has none.

    :raises CheckpointError: as `ExampleMemory.load`
    """
    path = folder / EXAMPLES_FILE
    return ExampleMemory.load(path) if path.exists() else ExampleMemory(crop_metric().encoder)


def _largest(similarities: FloatArray | Float32Array) -> FloatArray:
    """Return the 100 largest of each row [N, R], in ascending order."""
    return np.sort(np.partition(similarities, -_COHORT, axis=1)[:, -_COHORT:], axis=1).astype(float)


def _mean_and_deviation(nearest: FloatArray, more: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and deviation [...] of the n largest of `nearest` and `more` together.

    :param nearest: [..., n], in ascending order
    :param more: [..., r]; the largest of them takes the place of the smallest of `nearest`, and so on
    """
    count = nearest.shape[-1]
    more = -np.sort(-more, axis=-1)[..., :count]
    replaced = nearest[..., : more.shape[-1]]
    mean, square = (
        (np.where(more > replaced, more**n - replaced**n, 0).sum(axis=-1) + (nearest**n).sum(axis=-1)) / count
        for n in (1, 2)
    )
    return mean, np.sqrt(np.maximum(square - mean**2, 0))


def _similarity_of(affinities: FloatArray | Float32Array) -> FloatArray:
    return np.asarray(1 + np.log(np.maximum(affinities, 1e-12)) / BETA, float)


def _hash(key: Float32Array) -> str:
    """Return what an example is known by in `sources`."""
    return hashlib.sha256(key.astype(np.float32).tobytes()).hexdigest()[:16]


def _sorted(names: Sequence[str], rows: Sequence[NDArray[Any]] | NDArray[Any]) -> tuple[tuple[str, ...], Float32Array]:
    """Return names and rows in their order, each pair once."""
    found = {(name, row.astype(np.float32).tobytes()): row for name, row in zip(names, rows, strict=True)}
    order = sorted(found)
    keys = np.stack([found[key] for key in order]) if order else np.zeros((0, 0))
    return tuple(name for name, _ in order), keys.astype(np.float32)

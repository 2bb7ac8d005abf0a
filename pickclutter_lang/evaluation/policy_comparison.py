"""What `pickclutter compare-runs` shows of evaluations of policies, paired by pile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

from matplotlib.figure import Figure

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.evaluation.episode_charts import object_rates, unseen_of
from pickclutter_lang.evaluation.episode_log import EpisodeRow
from pickclutter_lang.evaluation.evaluate import EPISODES_FILE
from pickclutter_lang.evaluation.instructions import SUITES
from pickclutter_lang.evaluation.paired import PairedDifference, paired_difference
from pickclutter_lang.evaluation.report import RESULT_FILE
from pickclutter_lang.evaluation.rollout_metrics import (
    COMPARED_RATES,
    RATES,
    TARGET_GROUPS,
    Episode,
    RateSpec,
    compute_rates,
)
from pickclutter_lang.evaluation.student_folders import EVAL_CONFIG_FILE
from pickclutter_lang.evaluation.suites import kind_table
from pickclutter_lang.experiments.compare_config import CompareRunsConfig, labels_of
from pickclutter_lang.experiments.comparison import differing_values
from pickclutter_lang.experiments.comparison_page import DIFFERENCES, OBJECTS, Compared, write_comparison_page
from pickclutter_lang.experiments.run_charts import Interval, draw_bars, draw_differences
from pickclutter_lang.reports.page import settings_table
from pickclutter_lang.utils.json_files import read_json, read_json_lines
from pickclutter_lang.utils.markdown import markdown_table
from pickclutter_lang.utils.nested import flatten

_ENVIRONMENT = {
    "meshes": "objects",
    "objects": "objects",
    "object_split": "unseen objects",
    "split": "split",
    "absent_probability": "absent_probability",
    "control_mode": "control_mode",
}
"""What two evaluations must share to have the same piles and instructions -> how it is called."""
_IGNORED = (
    "out", "run", "policy", "scenes", "workers", "n_videos", "objects_root",
    "trust_code", "curve_scenes",
)  # fmt: skip
"""Settings that change no episode; students are compared by their hashes."""
_ADVICE = "run the same command of evaluate-policy again"
_BOUNDS = ("oracle", "random")
_MOST_BARS = 8
_NOTE = "Percent (95% interval of Wilson; episodes)."
_DIFFERENCE_NOTE = (
    "On the same piles and instructions, in points, with the interval of a bootstrap over piles, how often a rate "
    "holds on one side alone, and the p-value of McNemar's exact test, without correction for their number."
)


class _Settings(TypedDict):
    suite: Literal["picking", "language", "open_vocabulary", "words"]
    seed: int
    episodes: int


class _NeededResult(TypedDict):
    config: _Settings
    revisions: list[str]


class _Result(_NeededResult, total=False):
    variants: dict[str, Any]
    suite: dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """An evaluation that is finished: its result, what its episodes are of, and those that were asked for last."""

    result: Mapping[str, Any]
    identity: Mapping[str, Any]
    episodes: Sequence[Episode]

    @property
    def suite(self) -> str:
        """The suite of its instructions."""
        return str(self.result["config"]["suite"])

    @property
    def variants(self) -> dict[str, list[Episode]]:
        """Variant -> its episodes."""
        found: dict[str, list[Episode]] = {}
        for episode in self.episodes:
            found.setdefault(episode["variant"], []).append(episode)
        return found


def load_evaluation(folder: Path) -> Evaluation:
    """Read what `evaluate_policy` wrote.

    :raises CheckpointError: when a file is missing or damaged
    """
    result = _read_result(folder)
    config = result["config"]
    asked = range(config["seed"], config["seed"] + config["episodes"])
    variants = {*result.get("variants", {}), *result.get("suite", {})}
    logged, kinds = _read_episodes(folder) if asked else [], SUITES[config["suite"]]
    of_suite = [dict(one) for one in logged if one["kind"] in kinds]  # the log may have episodes of other suites
    episodes = [one for one in of_suite if one["variant"] in variants and one["seed"] in asked]
    return Evaluation(dict(result), _read_identity(folder), episodes)


def _read_result(folder: Path) -> _Result:
    return read_json(folder / RESULT_FILE, _Result, CheckpointError, _ADVICE)


def _read_identity(folder: Path) -> dict[str, Any]:
    return read_json(folder / EVAL_CONFIG_FILE, dict[str, Any], CheckpointError, _ADVICE)


def _read_episodes(folder: Path) -> list[EpisodeRow]:
    return read_json_lines(folder / EPISODES_FILE, EpisodeRow, CheckpointError, _ADVICE, may_be_cut=True)


def unpaired(first: Evaluation, other: Evaluation) -> str | None:
    """Return why the episodes of two evaluations are not paired; None where they are."""
    if first.suite != other.suite:
        return "another suite"
    differ = [title for key, title in _ENVIRONMENT.items() if first.identity.get(key) != other.identity.get(key)]
    if differ:
        return f"other {', '.join(dict.fromkeys(differ))}"
    if not first.variants.keys() & other.variants.keys():
        return "other variants"
    piles = [{(e["seed"], e["kind"]): (e["target"], e["instruction"]) for e in one.episodes} for one in (first, other)]
    shared = piles[0].keys() & piles[1].keys()
    if not shared:
        return "other seeds"
    return None if all(piles[0][key] == piles[1][key] for key in shared) else "other instructions"


def differences(first: Evaluation, other: Evaluation) -> dict[tuple[str, str, str], PairedDifference]:
    """Return variant, group of targets and rate -> `other - first` on the piles that both have; see `unpaired`.

    A suite of instructions has one rate for each kind of them, so that a pile is counted once in each.
    """
    found = {}
    rates = _compared_rates(first.suite)
    for variant, mine in first.variants.items():
        piles = {(e["seed"], e["kind"]): e for e in mine}
        theirs = [e for e in other.variants.get(variant, []) if (e["seed"], e["kind"]) in piles]
        pairs = [(e, piles[e["seed"], e["kind"]]) for e in theirs]
        for group, of in TARGET_GROUPS.items():
            for spec in rates:
                chosen = [pair for pair in pairs if of(pair[0]) and spec.of(pair[0]) and spec.of(pair[1])]
                one = paired_difference([bool(spec.hit(a)) for a, _ in chosen], [bool(spec.hit(b)) for _, b in chosen])
                if one is not None:
                    found[variant, group, spec.title] = one
    return found


def _compared_rates(suite: str) -> list[RateSpec]:
    if suite == "picking":
        return [RATES[name] for name in COMPARED_RATES]
    return [_right(kind) for kind in SUITES[suite]]


def _right(kind: str) -> RateSpec:
    return RateSpec(f"right, {kind}", lambda e: e["kind"] == kind, lambda e: bool(e["followed"]))


def write_comparison(config: CompareRunsConfig) -> Path:
    """Write `report.html` into the folder `out`; return its path.

    :raises CheckpointError: for an evaluation that is not finished or is damaged
    :raises DatasetError: when it cannot be written
    """
    runs = {
        label: load_evaluation(Path(folder)) for label, folder in zip(labels_of(config.runs), config.runs, strict=True)
    }
    first, *others = runs
    reasons = {label: unpaired(runs[first], runs[label]) for label in others}
    found = {label: {} if reasons[label] else differences(runs[first], runs[label]) for label in others}
    compared = Compared(
        labels=[*runs],
        cells="",
        shared={label: _what_is_shared(runs[first], runs[label], why) for label, why in reasons.items()},
        settings=differing_values({label: dict(_settings(run)) for label, run in runs.items()}),
        results=[_NOTE, *(part for label, run in runs.items() for part in _results(label, run))],
        differences=[_DIFFERENCE_NOTE, f"![Differences]({DIFFERENCES})", _difference_table(first, found, reasons)],
        objects=[_OBJECTS_NOTE, f"![Each object]({OBJECTS})"],
        charts={DIFFERENCES: _draw_differences(first, found), OBJECTS: _draw_objects(runs)},
        details={f"{label}: what was run": _details(run) for label, run in runs.items()},
    )
    return write_comparison_page(compared, Path(config.out))


_OBJECTS_NOTE = (
    "Episodes with success (suites of instructions: those with the name alone that are right), with 95% intervals "
    f"(Wilson). A star, and hatching, marks objects that are unseen. At most {_MOST_BARS} bars of an object are drawn."
)


def _what_is_shared(first: Evaluation, other: Evaluation, why: str | None) -> str:
    if why:
        return f"not paired, {why}."
    keys = [{(e["seed"], e["kind"]) for e in run.episodes} for run in (first, other)]
    variants = [f"`{name}`" for name in first.variants if name in other.variants]
    return f"paired on {len(keys[0] & keys[1])} episodes of {', '.join(variants)}."


def _settings(run: Evaluation) -> Iterator[tuple[str, Any]]:
    """Yield what the episodes of an evaluation depend on."""
    yield from ((key, value) for key, value in flatten(run.result["config"]).items() if key not in _IGNORED)
    yield from ((f"of the episodes: {key}", value) for key, value in flatten(run.identity).items())
    yield "revisions", ", ".join(run.result["revisions"])


def _results(label: str, run: Evaluation) -> Iterator[str]:
    yield f"### `{label}`"
    if run.suite != "picking":
        yield kind_table(run.episodes)
        return
    rows = [
        [f"`{variant}`", group, *map(str, compute_rates(chosen).values())]
        for variant, episodes in run.variants.items()
        for group, of in TARGET_GROUPS.items()
        if (chosen := [episode for episode in episodes if of(episode)])
    ]
    yield markdown_table(["variant", "targets", *(spec.title for spec in RATES.values())], rows)


def _difference_table(
    first: str,
    found: Mapping[str, Mapping[tuple[str, str, str], PairedDifference]],
    reasons: Mapping[str, str | None],
) -> str:
    rows = []
    for label, of in found.items():
        pair = f"`{label}` - `{first}`"
        if reasons[label]:
            rows.append([pair, "", "", "", f"not paired: {reasons[label]}", "", ""])
        for (variant, group, rate), one in of.items():
            alone = f"{one.first_only} : {one.second_only}"
            rows.append([pair, f"`{variant}`", group, rate, str(one), alone, f"{one.p_value:.2g}"])
    head = ["difference", "variant", "targets", "rate", "points (95% interval; episodes)", "alone", "p"]
    return markdown_table(head, rows)


def _draw_differences(first: str, found: Mapping[str, Mapping[tuple[str, str, str], PairedDifference]]) -> Figure:
    shown: dict[str, dict[str, Interval | None]] = {
        label: {
            f"{variant}, {rate}": Interval(one.difference, one.low, one.high)
            for (variant, group, rate), one in of.items()
            if group == "all"
        }
        for label, of in found.items()
    }
    return draw_differences({"all targets": shown}, first)


def _draw_objects(runs: Mapping[str, Evaluation]) -> Figure:
    bars = {
        f"{label}, {variant}": (run, episodes)
        for label, run in runs.items()
        for variant, episodes in sorted(run.variants.items(), key=lambda item: item[0] in _BOUNDS)
    }
    chosen = dict([*bars.items()][:_MOST_BARS])
    rates = {label: object_rates(episodes, run.suite) for label, (run, episodes) in chosen.items()}
    return draw_bars(rates, {label: unseen_of(episodes) for label, (_, episodes) in chosen.items()}, "episodes, %")


def _details(run: Evaluation) -> str:
    return settings_table({"config": run.result["config"], "identity": run.identity})

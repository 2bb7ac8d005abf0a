"""How collection, training and reading grow with the number of scenes, and how a store of a million opens.

For each size, `collect-scenes` makes a store of small plain scenes; a student is trained for one epoch on it, its
images read for each batch; and new processes open it and read images by random index. Then larger stores are written
in the same form, of the first scenes of the smallest one again and again: a million in minutes. FOLDER/growth.json has
wall time, CPU time with that of child processes, the peak memory of each process, and bytes. Where other work shares
the cores, CPU times are what can be compared. Parts that the file has are kept.

    OMP_NUM_THREADS=1 python scripts/profiling/growth.py runs/growth
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE, FIXED, FIXED_SCENES = "growth.json", ("id", "ood", "fewshot"), 64
REPEATED, POLL_S = 50, 0.2
"""Scenes that the large store repeats; seconds between two looks at the memory of processes."""
TRAINING = (
    "method=cls_imcst student=small_resnet data.target_label=visible data.crop_size=null data.max_cache_bytes=0 "
    "data.augmentation.flips=[] distill.epochs=1 few_shot.epochs=1 few_shot.repeats=1 num_threads=1"
)


@dataclass(frozen=True)
class Repeated:
    """A source of scenes that repeats some."""

    rows: Sequence[Mapping[str, Any]]

    def generate(self, seed: int, split: str, index: int) -> Mapping[str, Any]:
        """Return one of them under another index."""
        row = self.rows[index % len(self.rows)]
        return {**row, "index": row["index"].dtype.type(index)}


def repeat(template: Path, out: Path, scenes: int, workers: int) -> dict[str, Any]:
    """Write a store that repeats the first scenes of another one, by what `collect-scenes` writes with."""
    from pickclutter_lang.datasets.scenes import SceneStore
    from pickclutter_lang.envs.generation.collect import collect_store
    from pickclutter_lang.utils.engines import PoolConfig

    store = SceneStore.open(template)
    rows = [store.scene(index) for index in range(min(REPEATED, len(store)))]
    settings = {**store.manifest.settings, "source": f"growth.py, {len(rows)} scenes repeated"}
    changes = {"scenes": scenes, "seed": None, "settings": settings, "shards": (), "content_hash": ""}
    collect_store(out, replace(store.manifest, **changes), partial(Repeated, rows), PoolConfig(workers))
    return {}


def train(folder: Path, scenes: int, image_size: int) -> dict[str, Any]:
    """Train one epoch on a store; return the CPU seconds and the peak memory in MB before the first step, and after."""
    from pickclutter_lang.commands.hydra_app import compose_config
    from pickclutter_lang.experiments.scenes.config import TrainConfig
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun
    from pickclutter_lang.training.logger import peak_memory_mb

    out, store = folder / "run", folder / str(scenes)
    places = [f"scenes={folder}", f"data.train={store}", f"out={out}", f"teacher.cache={out / 'teacher'}"]
    chosen = [*TRAINING.split(), f"data.image_size={image_size}", *places]
    imported = time.process_time(), peak_memory_mb()
    run = SceneRun.open(compose_config(TrainConfig, "train_affordance", chosen))
    opened = time.process_time(), peak_memory_mb()
    run.train()
    trained = time.process_time(), peak_memory_mb()
    return {"imported": imported, "opened": opened, "trained": trained}


def read(store: Path, reads: int) -> dict[str, Any]:
    """Open a store and read images by random index, twice; return seconds, reads per second, and peak memory in MB."""
    import numpy as np

    from pickclutter_lang.datasets.scenes import SceneStore
    from pickclutter_lang.training.logger import peak_memory_mb

    peaks, start = [peak_memory_mb()], time.perf_counter()
    scenes = SceneStore.open(store)
    opened = time.perf_counter() - start
    peaks.append(peak_memory_mb())
    rates = []
    for _ in range(2):
        start = time.perf_counter()
        for index in np.random.default_rng(0).integers(len(scenes), size=reads).tolist():
            scenes.images("hand", "rgb", index)
        rates.append(reads / (time.perf_counter() - start))
    return {"open_seconds": opened, "reads_per_second": rates, "peak_mb": [*peaks, peak_memory_mb()]}


def measured(command: Sequence[str]) -> dict[str, Any]:
    """Run a command; return what it took, and the JSON of its last line if that is any."""
    before, start, peaks = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), {}
    with tempfile.TemporaryFile("w+") as printed:  # a pipe would be full before the end
        process = subprocess.Popen(command, stdout=printed, text=True)
        while process.poll() is None:
            peaks |= memory_of(process.pid)
            time.sleep(POLL_S)
        printed.seek(0)
        output = printed.read()
    if process.returncode:
        sys.exit(f"error: {shlex.join(command)} failed; finished parts are kept, run this command again to go on")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = output.splitlines()
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": sum(getattr(after, key) - getattr(before, key) for key in ("ru_utime", "ru_stime")),
        "peak_mb": peaks.pop(process.pid, 0.0),
        "children_peak_mb": sorted(peaks.values(), reverse=True),
        "load": os.getloadavg()[0],
        **(json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}),
    }


def memory_of(process: int) -> dict[int, float]:
    """Return the peak memory in MB of a process and of those below it, by their ids."""
    found, place = {}, Path(f"/proc/{process}")
    with suppress(OSError, StopIteration):  # it has ended
        status = (place / "status").read_text().splitlines()
        found[process] = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
        for children in place.glob("task/*/children"):
            for child in children.read_text().split():
                found |= memory_of(int(child))
    return found


def size_of(store: Path) -> dict[str, Any]:
    """Return the bytes of a store's shards, of its manifest and of all its files, and the number of files."""
    sizes = {path: path.stat().st_size for path in store.rglob("*") if path.is_file()}
    shards = [size for path, size in sizes.items() if path.suffix == ".h5"]
    manifest = sizes[store / "manifest.json"]
    return {"shards": len(shards), "shard_bytes": sum(shards), "manifest_bytes": manifest, "bytes": sum(sizes.values())}


class Growth:
    """What is measured: the file's content, and the commands that add to it."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Read the file if there is one; it must be of the same revision, machine and settings."""
        from pickclutter_lang.experiments.result import git_revision

        self.options, self.folder, self.file = options, options.folder, options.folder / FILE
        self.content: dict[str, Any] = {
            "revision": git_revision(),
            "settings": {key: getattr(options, key) for key in ("workers", "image_size", "reads", "processes")},
            "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
            "stores": {},
        }
        if self.file.is_file():
            kept = json.loads(self.file.read_text())
            if {**kept, "stores": {}} != self.content:
                sys.exit(f"error: {self.file} has another revision, machine or settings; choose another folder")
            self.content = kept

    def run(self) -> None:
        """Measure what the file lacks."""
        for split in FIXED:
            if not (self.folder / split).is_dir():
                measured(self.collection(split, split, FIXED_SCENES))
        commands = {scenes: self.collection("train", str(scenes), scenes) for scenes in sorted(self.options.scenes)}
        commands |= {scenes: self.own("repeat", scenes) for scenes in sorted(self.options.repeated)}
        for scenes, command in commands.items():
            self.part(scenes, "repeat" if scenes in self.options.repeated else "collect", command)
            if scenes <= self.options.most_trained:
                self.part(scenes, "train", self.own("train", scenes))
            self.readings(scenes)

    def part(self, scenes: int, name: str, command: Sequence[str]) -> None:
        """Measure a part from its start, unless the file has it."""
        parts = self.content["stores"].setdefault(str(scenes), {})
        if name in parts:
            return
        store = self.folder / str(scenes)
        shutil.rmtree(self.folder / "run" if name == "train" else store, ignore_errors=True)
        parts[name] = measured(command)
        if name != "train":
            parts[name] |= size_of(store)
        self.save(f"{scenes} scenes, {name}: {parts[name]['cpu_seconds']:.1f} s of CPU")

    def readings(self, scenes: int) -> None:
        """Open and read a store in several processes, one after another."""
        parts = self.content["stores"][str(scenes)]
        if "read" not in parts:
            parts["read"] = [measured(self.own("read", scenes)) for _ in range(self.options.processes)]
            opened = statistics.median(one["open_seconds"] for one in parts["read"])
            self.save(f"{scenes} scenes, opened in {opened:.3f} s")

    def save(self, news: str) -> None:
        """Write the file, and say what is new."""
        from pickclutter_lang.utils.io import write_text

        write_text(self.file, json.dumps(self.content, indent=1) + "\n")
        print(news, flush=True)

    def collection(self, split: str, name: str, scenes: int) -> list[str]:
        """Return the command that collects a store."""
        sizes = f"scenes={scenes} image_size={self.options.image_size} workers={self.options.workers}"
        settings = f"split={split} objects=proxy graspable=false {sizes}".split()
        return [sys.executable, str(ROOT / "scripts" / "collect_scenes.py"), *settings, f"out={self.folder / name}"]

    def own(self, part: str, scenes: int) -> list[str]:
        """Return the command that has this script do a part in a new process."""
        return [sys.executable, __file__, *sys.argv[1:], f"--part={part}", f"--size={scenes}"]


def do(options: argparse.Namespace) -> dict[str, Any]:
    """Do one part in this process, and return what it found."""
    folder, store = options.folder, options.folder / str(options.size)
    if options.part == "train":
        return train(folder, options.size, options.image_size)
    if options.part == "read":
        return read(store, options.reads)
    return repeat(folder / str(min(options.scenes)), store, options.size, options.workers)


def main() -> None:
    """Measure all, or do one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the stores and of growth.json")
    parser.add_argument("--scenes", type=int, nargs="+", default=[1000, 3000, 10_000, 30_000], help="sizes of stores")
    parser.add_argument("--repeated", type=int, nargs="*", default=[1_000_000], help="of those that repeat scenes")
    parser.add_argument("--most-trained", type=int, default=100_000, help="scenes of the largest that is trained on")
    parser.add_argument("--workers", type=int, default=1, help="processes that collect")
    parser.add_argument("--image-size", type=int, default=16, help="side of the images in pixels")
    parser.add_argument("--reads", type=int, default=2000, help="images that a process reads")
    parser.add_argument("--processes", type=int, default=5, help="processes that open and read each store")
    for hidden in ("--part", "--size"):
        parser.add_argument(hidden, type=int if hidden == "--size" else str, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    if options.part:
        print(json.dumps(do(options)))
    else:
        Growth(options).run()


if __name__ == "__main__":
    main()

"""Joins the parts of a scene store that several machines collected; needs no simulator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pickclutter_lang.datasets.scenes.describe import describe_store
from pickclutter_lang.datasets.scenes.manifest import MANIFEST_FILE, SHARD_FOLDER, Manifest, ShardEntry, read_manifest
from pickclutter_lang.datasets.scenes.shards import check_shard
from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.errors import CorruptShardError, DatasetError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE
from pickclutter_lang.utils.io import atomic_link, clean_temp_files, create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.parts import Part
from pickclutter_lang.utils.progress import ProgressBar

_NAMED = 4
"""How many shards or parts a message names."""


def merge_parts(parts: Path, out: Path) -> SceneStore:
    """Make the store of which a folder has the parts: the same, to its content hash, as of one collection.

    Shards become hard links where the disk allows it, else copies. The parts stay as they are.

    :param parts: its folders are the parts
    :param out: of the store, or of one that an earlier call left incomplete
    :raises DatasetError: when parts are missing, or two have the same shard
    :raises MismatchError: when parts differ in settings or versions, or `out` holds another store
    :raises CorruptShardError: when a shard of a part is damaged
    :raises LockedError: when another process writes into `out`
    """
    folders = (path.parent for path in sorted(parts.glob(f"*/{MANIFEST_FILE}")))
    found = {folder: read_manifest(folder) for folder in folders if folder.resolve() != out.resolve()}
    if not found:
        raise DatasetError(
            f"expected parts of a scene store in {parts}, but there are none; make them: pickclutter collect-scenes "
            f"part=1/8 out={parts}"
        )
    first, manifest = next(iter(found.items()))
    for folder, other in found.items():
        other.check_compatible(manifest, folder)
        other.check_versions(manifest.versions, f"the store at {folder}")
    sources = _sources(found)
    _check_complete(parts, manifest, sources)
    create_dir(out)
    create_dir(out / SHARD_FOLDER)
    with dir_lock(out):
        for place in (out, out / SHARD_FOLDER):
            clean_temp_files(place)
        if (out / MANIFEST_FILE).is_file():
            before = read_manifest(out)
            before.check_compatible(manifest, out)
            before.check_versions(manifest.versions, f"the store at {out}")
        if manifest.has_catalog:
            atomic_link(first / CATALOG_FILE, out / CATALOG_FILE)
        taken = _take_shards(out, manifest, sources)
        manifest.with_shards([entry for entry, _ in sources.values()]).write(out)
        describe_store(out, rewrite=taken > 0)
    return SceneStore.open(out)


_Sources = Mapping[str, tuple[ShardEntry, Path]]
"""File of a shard -> its entry, and the folder of its part."""


def _sources(found: Mapping[Path, Manifest]) -> dict[str, tuple[ShardEntry, Path]]:
    """Return where each shard lies."""
    sources: dict[str, tuple[ShardEntry, Path]] = {}
    for folder, manifest in found.items():
        for entry in manifest.shards:
            if entry.file in sources:
                raise DatasetError(
                    f"expected each shard in one part, but {entry.file} is in {sources[entry.file][1]} and in "
                    f"{folder}; move away the part that does not belong to the others"
                )
            sources[entry.file] = entry, folder
    return sources


def _check_complete(parts: Path, manifest: Manifest, sources: _Sources) -> None:
    files = manifest.shard_files
    missing = [file for file in files if file not in sources]
    if not missing:
        return
    named = [part for folder in {path for _, path in sources.values()} if (part := Part.of_folder(folder.name))]
    counts = {part.count for part in named}
    again = ""
    if len(counts) == 1:
        wanted = [Part(number, *counts) for number in range(1, max(counts) + 1)]
        lacking = [f"part={one.number}/{one.count}" for one in wanted if not {*missing}.isdisjoint(one.of(files))]
        again = f" with {_some(lacking)}"
    raise DatasetError(
        f"expected {len(files)} shards in the parts of {parts}, but {len(missing)} are in none ({_some(missing)}); run "
        f"their collection again{again}, which keeps what is there"
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


def _take_shards(out: Path, manifest: Manifest, sources: _Sources) -> int:
    """Put the shards into the store that it lacks; return their number."""
    taken = 0
    with ProgressBar("shards", len(sources)) as bar:
        for file, (entry, folder) in sources.items():
            if check_shard(out, entry, manifest.layout):
                damage = check_shard(folder, entry, manifest.layout)
                if damage:
                    raise CorruptShardError(
                        f"the shard {folder / SHARD_FOLDER / file} is damaged: {damage}; run the collection of its "
                        "part again, which makes it anew"
                    )
                atomic_link(folder / SHARD_FOLDER / file, out / SHARD_FOLDER / file, remove_stale=False)
                taken += 1
            bar.advance()
    return taken

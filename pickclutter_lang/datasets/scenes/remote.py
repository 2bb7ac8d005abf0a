"""Scene stores on object storage: the manifest comes at once, each shard when it is first read, and both stay.

`$PICKCLUTTER_CACHE/stores/<sha256 of the manifest>` is a folder like that of any store, of which shards may be missing.
Its name is its content: what is published anew at the same URL has a folder of its own. fsspec's `filecache` and
`simplecache` do not serve here: they compare no hash, and their names depend on the URL alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pickclutter_lang.datasets.scenes.manifest import MANIFEST_FILE, SHARD_FOLDER, Manifest, ShardEntry, read_manifest
from pickclutter_lang.datasets.scenes.shards import bytes_damage
from pickclutter_lang.errors import CorruptShardError, StorageError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, MAX_BYTES
from pickclutter_lang.utils.io import atomic_write, cache_dir, ensure_dir
from pickclutter_lang.utils.json_files import MAX_JSON_BYTES
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.object_storage import is_url, join, read_url, size_at


def mirror_store(url: str, folder: Path | None = None) -> Path:
    """Return a folder with the manifest of a store at a URL, and its catalog of own objects; `fetch_shard` adds shards.

    :param folder: by default one in the cache
    :raises StorageError: when there is no store, or it cannot be read
    :raises DatasetError: when its manifest is damaged
    """
    missing = (
        f"expected a scene store at {url}, but {MANIFEST_FILE} is not there; publish one: "
        f"pickclutter push folder=... repository={url}"
    )
    data = read_url(join(url, MANIFEST_FILE), MAX_JSON_BYTES, missing)
    folder = folder or cache_dir() / "stores" / hashlib.sha256(data).hexdigest()[:32]
    ensure_dir(folder / SHARD_FOLDER)
    if not (folder / MANIFEST_FILE).is_file() or (folder / MANIFEST_FILE).read_bytes() != data:
        atomic_write(folder / MANIFEST_FILE, data)
    manifest = read_manifest(folder)
    if manifest.has_catalog:
        _mirror_catalog(url, folder / CATALOG_FILE, manifest.settings["catalog"])
    return folder


def _mirror_catalog(url: str, path: Path, sha256: object) -> None:
    """Bring the catalog of own objects, unless it is there and is that of the manifest."""
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
        return
    data = read_url(join(url, CATALOG_FILE), MAX_BYTES)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise StorageError(
            f"{join(url, CATALOG_FILE)} is not that of the manifest; publish the store again: "
            f"pickclutter push folder=... repository={url}"
        )
    atomic_write(path, data)


def manifest_at(place: str | Path) -> Manifest:
    """Return the manifest of a store in a folder or at a URL.

    :raises DatasetError: when there is none, or it is damaged
    """
    return read_manifest(mirror_store(str(place)) if is_url(place) else Path(place))


def has_store(place: str | Path) -> bool:
    """Return whether a folder or a URL has the manifest of a store.

    :raises StorageError: when the storage cannot be asked
    """
    if is_url(place):
        return size_at(join(str(place), MANIFEST_FILE)) is not None
    return Path(place, MANIFEST_FILE).is_file()


def fetch_shard(url: str, folder: Path, entry: ShardEntry) -> None:
    """Bring a shard into the folder of a store, unless it is there whole; another process may be at it too.

    :raises StorageError: when the storage cannot be read
    :raises CorruptShardError: when it is not there, or its bytes are not those of the manifest
    """
    path, source = folder / SHARD_FOLDER / entry.file, join(url, SHARD_FOLDER, entry.file)
    with file_lock(path, wait=True):
        if path.is_file() and not bytes_damage(path, entry):
            return
        size = size_at(source)
        data = read_url(source, entry.bytes) if size == entry.bytes else b""
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            wrong = "is not there" if size is None else "is not that of the manifest; delete it there"
            raise CorruptShardError(
                f"the shard {source} {wrong}; publish the store again: pickclutter push folder=... repository={url}"
            )
        atomic_write(path, data)


def listed_shards(url: str) -> dict[str, str]:
    """Return file below the store -> sha256 of the shards of a published store; nothing where there is none.

    :raises StorageError: when the storage cannot be read
    """
    if not has_store(url):
        return {}
    manifest: Manifest = read_manifest(mirror_store(url))
    return {f"{SHARD_FOLDER}/{entry.file}": entry.sha256 for entry in manifest.shards}

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
from pickclutter_lang.errors import CorruptShardError
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
    if read_manifest(folder).has_catalog and not (folder / CATALOG_FILE).is_file():
        atomic_write(folder / CATALOG_FILE, read_url(join(url, CATALOG_FILE), MAX_BYTES))
    return folder


def manifest_at(place: str | Path) -> Manifest:
    """Return the manifest of a store in a folder or at a URL.

    :raises DatasetError: when there is none, or it is damaged
    """
    return read_manifest(mirror_store(str(place)) if is_url(place) else Path(place))


def fetch_shard(url: str, folder: Path, entry: ShardEntry) -> None:
    """Bring a shard into the folder of a store, unless it is there whole; another process may be at it too.

    :raises StorageError: when it cannot be read
    :raises CorruptShardError: when its bytes are not those of the manifest
    """
    path, source = folder / SHARD_FOLDER / entry.file, join(url, SHARD_FOLDER, entry.file)
    with file_lock(path, wait=True):
        if path.is_file() and not bytes_damage(path, entry):
            return
        data = read_url(source, entry.bytes)
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise CorruptShardError(
                f"the shard {source} is not that of the manifest (sha256); delete it there and publish anew: "
                f"pickclutter push folder=... repository={url}"
            )
        atomic_write(path, data)


def listed_shards(url: str) -> dict[str, str]:
    """Return file below the store -> sha256 of the shards of a published store; nothing where there is none.

    :raises StorageError: when the storage cannot be read
    """
    if size_at(join(url, MANIFEST_FILE)) is None:
        return {}
    manifest: Manifest = read_manifest(mirror_store(url))
    return {f"{SHARD_FOLDER}/{entry.file}": entry.sha256 for entry in manifest.shards}

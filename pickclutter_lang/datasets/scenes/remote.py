"""Scene stores on object storage: the manifest comes at once, each shard when it is first read, and both stay.

`$PICKCLUTTER_CACHE/stores/<sha256 of the manifest>` is a folder like that of any store, of which shards may be missing.
Its name is its content: what is published anew at the same URL has a folder of its own. The caches of fsspec go by the
URL alone and compare no hash.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pickclutter_lang.datasets.scenes.manifest import MANIFEST_FILE, SHARD_FOLDER, Manifest, ShardEntry, read_manifest
from pickclutter_lang.datasets.scenes.shards import bytes_damage
from pickclutter_lang.errors import CorruptShardError, StorageError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE
from pickclutter_lang.utils.io import atomic_write, cache_dir, create_dir
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.object_storage import fetch_file, has_file, is_url, join, read_url


def mirror_store(url: str, folder: Path | None = None) -> Path:
    """Return a folder with the manifest of a store at a URL, and its catalog of own objects; `fetch_shard` adds shards.

    :param folder: by default one in the cache
    :raises StorageError: when there is no store, or it cannot be read
    :raises DatasetError: when its manifest is damaged
    """
    if not has_store(url):
        raise StorageError(
            f"expected a scene store at {url}, but {MANIFEST_FILE} is not there; publish one: "
            f"pickclutter push folder=... repository={url}"
        )
    data = read_url(join(url, MANIFEST_FILE))
    folder = folder or cache_dir() / "stores" / hashlib.sha256(data).hexdigest()[:32]
    create_dir(folder / SHARD_FOLDER)
    atomic_write(folder / MANIFEST_FILE, data)
    if read_manifest(folder).has_catalog:
        fetch_file(join(url, CATALOG_FILE), folder / CATALOG_FILE)
    return folder


def manifest_at(place: str | Path) -> Manifest:
    """Return the manifest of a store in a folder or at a URL.

    :raises DatasetError: when there is none, or it is damaged
    """
    return read_manifest(mirror_store(str(place)) if is_url(place) else Path(place))


def has_store(place: str | Path) -> bool:
    """Return whether a folder or a URL has the manifest of a store.

    :raises StorageError: when the storage cannot be asked
    """
    manifest = join(str(place), MANIFEST_FILE)
    return has_file(manifest) if is_url(place) else Path(manifest).is_file()


def fetch_shard(url: str, folder: Path, entry: ShardEntry) -> None:
    """Bring a shard into the folder of a store, unless it is there whole; another process may be at it too.

    :raises StorageError: when the storage cannot be read
    :raises CorruptShardError: when it is not there, or its bytes are not those of the manifest
    """
    path, source = folder / SHARD_FOLDER / entry.file, join(url, SHARD_FOLDER, entry.file)
    with file_lock(path, wait=True):
        if path.is_file() and not bytes_damage(path, entry):
            return
        if has_file(source):
            fetch_file(source, path)
            if not bytes_damage(path, entry):
                return
            path.unlink()
        raise CorruptShardError(
            f"the shard {source} is not there, or not that of the manifest; publish the store again: "
            f"pickclutter push folder=... repository={url}"
        )

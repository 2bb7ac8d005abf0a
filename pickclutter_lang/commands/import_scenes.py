"""Make a scene store of the HDF5 file that the paper's authors published.

    pickclutter import-scenes file=test_ood.h5 split=ood out=data/published_ood

Only the label `present` is known of these scenes.
"""

from functools import partial

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.datasets.scenes.importer import ImportConfig, import_published
from pickclutter_lang.utils.progress import track


@hydra_main(ImportConfig)
def main(config: ImportConfig) -> None:
    """Import, and report the store."""
    store = import_published(config, track=partial(track, title="shards"))
    found = store.manifest.settings
    print(f"{len(store)} scenes in {store.path}: cameras {', '.join(store.cameras)}; depth {found['source_depth']}")
    print(f"content {store.content_hash}")

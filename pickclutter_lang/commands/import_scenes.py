"""Import published scenes: `pickclutter import-scenes file=test.h5 split=ood out=data/published_ood`."""

from functools import partial

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from pickclutter_lang.datasets.scenes.importer import ImportConfig, import_published
from pickclutter_lang.utils.cli import hydra_main, parse_config
from pickclutter_lang.utils.progress import track

DEFAULTS = OmegaConf.to_container(OmegaConf.structured(ImportConfig))
ConfigStore.instance().store(name="import_scenes_settings", node=DEFAULTS)


@hydra_main("import_scenes")
def main(cfg: DictConfig) -> None:
    """Import, and say what was found."""
    config = parse_config(ImportConfig, cfg)
    store = import_published(config, track=partial(track, title="shards"))
    found = store.manifest.settings
    print(f"{len(store)} scenes in {store.path}: cameras {', '.join(store.cameras)}; depth {found['source_depth']}")
    print(f"content {store.content_hash}")

"""Import published scenes: `pickclutter import-scenes file=test.h5 split=ood out=data/published_ood`."""

from functools import partial

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from rich.progress import track

from pickclutter_lang.command import command, typed
from pickclutter_lang.scenes.importer import ImportSettings, import_published

DEFAULTS = OmegaConf.to_container(OmegaConf.structured(ImportSettings))
ConfigStore.instance().store(name="import_scenes_settings", node=DEFAULTS)


@command("import_scenes")
def main(config: DictConfig) -> None:
    """Import, and say what was found."""
    settings = typed(ImportSettings, config)
    store = import_published(settings, track=partial(track, description="shards"))
    found = store.manifest.settings
    print(f"{len(store)} scenes in {store.path}: cameras {', '.join(store.cameras)}; depth {found['source_depth']}")
    print(f"content {store.content_hash}")

"""Collect scenes of clutter with the simulator: `pickclutter collect-scenes split=train out=data/train`."""

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from pickclutter_lang.command import command, typed
from pickclutter_lang.envs.collect import CollectSettings, collect

# As plain values, since hydra cannot override the fields of a frozen dataclass; `typed` checks the types.
DEFAULTS = OmegaConf.to_container(OmegaConf.structured(CollectSettings))
ConfigStore.instance().store(name="collect_scenes_settings", node=DEFAULTS)


@command("collect_scenes")
def main(config: DictConfig) -> None:
    """Collect, and say what is there now."""
    done = collect(typed(CollectSettings, config))
    replaced = f", {done.damaged} of them in place of damaged ones" if done.damaged else ""
    print(f"{len(done.store)} scenes in {done.store.path} ({done.made} shards made{replaced}, {done.kept} kept)")
    print(f"content {done.store.content_hash}")

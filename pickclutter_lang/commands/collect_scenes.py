"""Collect scenes of clutter with the simulator: `pickclutter collect-scenes split=train out=data/train`."""

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from pickclutter_lang.envs.generation.collect import CollectConfig, collect
from pickclutter_lang.utils.cli import hydra_main, parse_config

# As plain values, since hydra cannot override the fields of a frozen dataclass; `typed` checks the types.
DEFAULTS = OmegaConf.to_container(OmegaConf.structured(CollectConfig))
ConfigStore.instance().store(name="collect_scenes_settings", node=DEFAULTS)


@hydra_main("collect_scenes")
def main(cfg: DictConfig) -> None:
    """Collect, and say what is there now."""
    done = collect(parse_config(CollectConfig, cfg))
    replaced = f", {done.damaged} of them in place of damaged ones" if done.damaged else ""
    print(f"{len(done.store)} scenes in {done.store.path} ({done.made} shards made{replaced}, {done.kept} kept)")
    print(f"content {done.store.content_hash}")

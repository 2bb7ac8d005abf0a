"""Check every shard of a scene store: `pickclutter verify-scenes store=data/train`."""

from dataclasses import dataclass

from omegaconf import DictConfig

from pickclutter_lang.datasets.scenes import verify_store
from pickclutter_lang.utils.cli import hydra_main, parse_config


@dataclass
class VerifySettings:
    """`store`: the folder to check."""

    store: str


@hydra_main("verify_scenes")
def main(cfg: DictConfig) -> None:
    """Verify, and say that all is well."""
    store = parse_config(VerifySettings, cfg).store
    manifest = verify_store(store)
    print(f"{store}: {len(manifest.shards)} shards with {manifest.scenes} scenes are intact")
    print(f"content {manifest.content_hash}")

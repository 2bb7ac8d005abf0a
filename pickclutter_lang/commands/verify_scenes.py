"""Check every shard of a scene store: `pickclutter verify-scenes store=data/train`."""

from dataclasses import dataclass

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed
from pickclutter_lang.scenes import verify_store


@dataclass
class VerifySettings:
    """`store`: the folder to check."""

    store: str


@command("verify_scenes")
def main(config: DictConfig) -> None:
    """Verify, and say that all is well."""
    store = typed(VerifySettings, config).store
    manifest = verify_store(store)
    print(f"{store}: {len(manifest.shards)} shards with {manifest.scenes} scenes are intact")
    print(f"content {manifest.content_hash}")

"""Read every shard of a scene store and compare it with the manifest. Damaged and missing shards are named.

pickclutter verify-scenes store=data/train
"""

from dataclasses import dataclass

from pickclutter_lang.commands.hydra_app import hydra_main


@dataclass
class VerifyConfig:
    """A check of a scene store."""

    store: str
    """Folder of the store."""


@hydra_main(VerifyConfig)
def main(config: VerifyConfig) -> None:
    """Verify, and report that the store is intact."""
    from pickclutter_lang.datasets.scenes import verify_store

    manifest = verify_store(config.store)
    print(f"{config.store}: {len(manifest.shards)} shards with {manifest.scenes} scenes are intact")
    print(f"content {manifest.content_hash}")

"""Collect scenes of clutter with the simulator into a scene store. Needs the extra sim.

    pickclutter collect-scenes split=train scenes=3000 seed=0 objects=proxy out=data/train

An interrupted command resumes when run again. Several machines: engine=ray.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.envs.config import CollectConfig


@hydra_main(CollectConfig)
def main(config: CollectConfig) -> None:
    """Collect, and report the store."""
    from pickclutter_lang.envs.generation.collect import collect

    done = collect(config)
    replaced = f", {done.damaged} of them in place of damaged ones" if done.damaged else ""
    print(f"{done.manifest.scenes} scenes in {done.folder} ({done.made} shards made{replaced}, {done.kept} kept)")
    print(f"content {done.manifest.content_hash}")

"""Collect demonstrations of picks by name as ManiSkill2 trajectories. Needs the extra sim.

    pickclutter collect-demos objects=ycb episodes=1000 out=demos

An interrupted command resumes when run again.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.demonstrations.config import CollectDemosConfig


@hydra_main(CollectDemosConfig)
def main(config: CollectDemosConfig) -> None:
    """Collect, and report what is there."""
    from pickclutter_lang.demonstrations.card import CARD_FILE
    from pickclutter_lang.demonstrations.collect_demos import collect_demos

    done = collect_demos(config)
    print(f"{done.kept} demonstrations of {done.played} episodes; card: {done.folder / CARD_FILE}")

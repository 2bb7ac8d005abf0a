"""Push a policy, a teacher or a scene store to the Hugging Face Hub, with a card.

    pickclutter push folder=policy repository=me/strawberry-picker

The folder is checked before anything is sent.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.sharing.config import PushConfig


@hydra_main(PushConfig)
def main(config: PushConfig) -> None:
    """Push, and print the address of the commit."""
    from pickclutter_lang.sharing.hub_folders import push

    print(f"pushed: {push(config)}")

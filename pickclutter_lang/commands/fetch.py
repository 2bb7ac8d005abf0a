"""Download a policy, a teacher or a scene store from the Hugging Face Hub, and verify its files.

    pickclutter fetch repository=me/strawberry-picker out=policy
    pickclutter fetch repository=me/my-scenes kind=scenes out=scenes/train

An interrupted download goes on when the command is run again. A private repository needs `hf auth login` or $HF_TOKEN.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.sharing.config import FetchConfig


@hydra_main(FetchConfig)
def main(config: FetchConfig) -> None:
    """Fetch, and print the folder."""
    from pickclutter_lang.sharing.hub_folders import fetch

    print(f"{config.kind}: {fetch(config)}")

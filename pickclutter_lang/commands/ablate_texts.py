"""Compare zero-shot texts of a teacher: names, descriptions, ensembles of descriptors, and controls.

    pickclutter ablate-texts scenes=[data/ood] views=[data/held_out_views] out=texts.md

The controls have the same count and form: random words, random characters, another object's descriptors. They show
whether meaning helps, or averaging alone.
"""

from contextlib import nullcontext
from pathlib import Path

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.experiments.scenes.command_configs import TextAblationConfig


@hydra_main(TextAblationConfig)
def main(config: TextAblationConfig) -> None:
    """Compare, print the tables, and write them if there is an `out`."""
    from pickclutter_lang.utils.io import write_text
    from pickclutter_lang.utils.locks import file_lock

    with nullcontext() if config.out is None else file_lock(Path(config.out)):
        from pickclutter_lang.experiments.scenes.text_ablation import ablate_texts

        tables = ablate_texts(config)
        print(tables)
        if config.out is not None:
            write_text(Path(config.out), tables)

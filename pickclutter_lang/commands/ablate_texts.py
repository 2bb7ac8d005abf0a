"""Compare names, descriptions, ensembles and noise as texts: `pickclutter ablate-texts scenes=[data/ood]`."""

from pathlib import Path

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("ablate_texts")
def main(cfg: DictConfig) -> None:
    """Compare, print the tables, and write them if there is an `out`."""
    from pickclutter_lang.experiments.scenes.text_ablation import TextAblationConfig, compare_texts
    from pickclutter_lang.utils.io import atomic_write

    config = parse_config(TextAblationConfig, cfg)
    tables = compare_texts(config)
    print(tables)
    if config.out is not None:
        atomic_write(Path(config.out), tables.encode())

"""Compare names, descriptions, ensembles and noise as texts: `pickclutter ablate-texts scenes=[data/ood]`."""

from pathlib import Path

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("ablate_texts")
def main(config: DictConfig) -> None:
    """Compare, print the tables, and write them if there is an `out`."""
    from pickclutter_lang.evaluation.compare_texts import CompareTextsSettings, compare_texts
    from pickclutter_lang.files import write_whole

    settings = typed(CompareTextsSettings, config)
    tables = compare_texts(settings)
    print(tables)
    if settings.out is not None:
        write_whole(Path(settings.out), tables.encode())

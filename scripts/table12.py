"""Write Table 12 of a grid of finished runs again: `python scripts/table12.py runs=runs/table12`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("table12")
def main(config: DictConfig) -> None:
    """Make the table from the `result.json` files alone."""
    from pickclutter_lang.evaluation.table12 import TableSettings, write_table

    print(f"table: {write_table(typed(TableSettings, config))}")


if __name__ == "__main__":
    main()

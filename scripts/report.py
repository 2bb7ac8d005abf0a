"""Write the report of an evaluated run again: `python scripts/report.py run=runs/student`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("report")
def main(config: DictConfig) -> None:
    """Make `report/` anew from `result.json` and the saved predictions; neither scenes nor teacher are needed."""
    from pickclutter_lang.evaluation.report import write_report
    from pickclutter_lang.training import ReportSettings

    print(f"report: {write_report(typed(ReportSettings, config).run)}")


if __name__ == "__main__":
    main()

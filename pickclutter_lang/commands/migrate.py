"""Convert files of version 0.1.0: `pickclutter migrate runs/student`."""

from pickclutter_lang.commands.exit_status import exit_status
from pickclutter_lang.utils.cli import ArgumentParser


@exit_status()
def main() -> None:
    """Convert each folder, and print what changed and where the old files are."""
    from pickclutter_lang.migration.migrate import migrate

    parser = ArgumentParser(
        prog="pickclutter migrate",
        description="Convert runs, sweeps, policy folders and teachers' checkpoints of version 0.1.0. Each folder is "
        "converted atomically; the old files stay next to it, in FOLDER.0.1.0. Scene stores, views and "
        "exported teachers need no migration.",
    )
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
    options = parser.parse_args()
    for folder in options.folders:
        lines, backup = migrate(folder, options.dry_run)
        print("\n".join(f"  {line}" for line in lines))
        print(f"{folder}: {len(lines)} files {'would change' if options.dry_run else f'changed; before: {backup}'}")

"""Convert files of version 0.1.0: `pickclutter migrate runs/student`."""

import argparse
import sys

from pickclutter_lang.errors import PickClutterError


def main() -> None:
    """Convert each folder, and print what changed and where the old files are; end with status 2 on an error."""
    from pickclutter_lang.migration.migrate import migrate

    parser = argparse.ArgumentParser(
        prog="pickclutter migrate",
        description="Convert runs, sweeps, policy folders and teachers' checkpoints of version 0.1.0. Each folder is "
        "converted atomically; the old files stay next to it, in FOLDER.0.1.0. Scene stores, views and "
        "exported teachers need no migration.",
    )
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
    options = parser.parse_args()
    for folder in options.folders:
        try:
            lines, backup = migrate(folder, options.dry_run)
        except PickClutterError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            sys.exit(2)
        print("\n".join(f"  {line}" for line in lines))
        print(f"{folder}: {len(lines)} files {'would change' if options.dry_run else f'changed; before: {backup}'}")

"""Print physical lines, statements and files of each room: `python scripts/count_lines.py`."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from pathlib import Path

PACKAGE = "pickclutter_lang"


def room_of(path: Path) -> str:
    """Return the room of a file: its first folder, below the package the one there, `kinds` apart."""
    first, *rest = path.parts
    if first != PACKAGE:
        return first
    return "kinds" if rest[:2] == ["objects", "kinds"] else f"{PACKAGE}/{rest[0]}" if len(rest) > 1 else PACKAGE


def main() -> None:
    """Count what git tracks, and print a line for each room, then the sums."""
    tracked = subprocess.run(["git", "ls-files", "*.py", "*.md"], capture_output=True, text=True, check=True).stdout
    lines, statements, files = Counter[str](), Counter[str](), Counter[str]()
    for path in (Path(name) for name in tracked.splitlines()):
        if not path.is_file() or (
            path.suffix == ".md" and path.parts[0] not in ("docs", *map(str, Path().glob("*.md")))
        ):
            continue
        room = "pages" if path.suffix == ".md" else room_of(path)
        total = "package and envs" if room.startswith((PACKAGE, "envs")) else None
        text = path.read_text()
        count = 0 if path.suffix == ".md" else sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(text)))
        for key in (room, total):
            if key is not None:
                lines[key] += text.count("\n")
                statements[key] += count
                files[key] += 1
    for room in sorted(lines):
        print(f"{room:36}{lines[room]:7} lines{statements[room]:7} statements{files[room]:5} files")


if __name__ == "__main__":
    main()

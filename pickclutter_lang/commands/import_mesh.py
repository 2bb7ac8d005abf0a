"""Import your own meshes as an object set: `pickclutter import-mesh mug.glb scans/* --out mine`."""

import sys
from argparse import ArgumentDefaultsHelpFormatter, Namespace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pickclutter_lang.commands.exit_status import exit_status
from pickclutter_lang.errors import RendererError
from pickclutter_lang.utils.cli import ArgumentParser

if TYPE_CHECKING:
    from pickclutter_lang.objects.meshes.importer import ImportResult

_DESCRIPTION = (
    "Import meshes as an object set in ManiSkill2's layout. Reads .obj, .glb, .gltf, .ply, .stl, .dae and .urdf files, "
    "and folders as of Google Scanned Objects (meshes/model.obj) and BOP (models_info.json, obj_*.ply). A mesh that "
    "is wrong is named in a line, the others are imported, and the status is 2 at the end. Run again, it skips what "
    "did not change."
)


@exit_status()
def main() -> None:
    """Import the meshes, render them, and say what came of each."""
    options = build_parser().parse_intermixed_args()
    check_options(options)
    from pickclutter_lang.objects.meshes import check_packages

    check_packages()
    from pickclutter_lang.objects.meshes.importer import import_meshes
    from pickclutter_lang.objects.meshes.model import ModelSettings
    from pickclutter_lang.objects.meshes.report import REPORT_FILE, result_lines, write_report

    settings = ModelSettings(
        options.unit, options.up, options.density, options.max_faces, options.texture_size, options.max_parts,
        options.threshold,
    )  # fmt: skip
    defaults = {"split": options.split, "license": options.license, "source": options.source}
    out = Path(options.out)
    result = import_meshes(options.files, out, settings, options.names, defaults, options.workers)
    for line in result_lines(result):
        print(line)
    if result.models:
        write_report(out, result)
        print(_write_sheet(out, result))
        print(f"{len(result.models)} objects in {out}; see {out / REPORT_FILE}")
    for item in result.broken:
        print(f"not imported: {item}", file=sys.stderr)
    sys.exit(2 if result.broken else 0)


def _write_sheet(out: Path, result: "ImportResult") -> str:
    """Render the objects where there is a simulator, and return a line about it."""
    if find_spec("sapien") is None:
        return "no thumbnails: sapien is not installed; run: pip install 'pickclutter-lang[sim]', and this again"
    from pickclutter_lang.envs.generation.mesh_sheet import write_mesh_sheet

    try:
        path = write_mesh_sheet(out, {model_id: str(row["name"]) for model_id, row in result.rows.items()})
    except RendererError as error:
        return f"no thumbnails: {error}"
    return f"look at them: {path}"


def check_options(options: Namespace) -> None:
    """Raise InvalidArgumentError for an option outside of its range."""
    from pickclutter_lang.objects.meshes.limits import MAX_DENSITY, MIN_DENSITY
    from pickclutter_lang.utils.validation import check_path, check_workers, within

    check_path("--out", options.out)
    within("--density", options.density, MIN_DENSITY, MAX_DENSITY)
    within("--max-faces", options.max_faces, 100, 1_000_000)
    within("--texture-size", options.texture_size, 64, 8192)
    within("--max-parts", options.max_parts, 1, 256)
    within("--threshold", options.threshold, 0.01, 1.0)
    check_workers("--workers", options.workers, 1)


def build_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(
        prog="pickclutter import-mesh", description=_DESCRIPTION, formatter_class=ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="mesh files and folders")
    add("--out", required=True, help="folder of the object set; one of an earlier import grows")
    add("--names", type=Path, help="YAML file: id or file name -> name, or -> name, split, synonyms, density ...")
    add("--unit", choices=("m", "cm", "mm", "inch"), help="unit of the files; by default their format's, or meters")
    add(
        "--up", choices=("x", "y", "z", "-x", "-y", "-z"),
        help="axis that points up; by default y for glTF, the file's own for .dae, and z for others",
    )  # fmt: skip
    add("--split", choices=("seen", "unseen", "none"), default="seen", help="split of objects without one in --names")
    add("--density", type=float, default=1000.0, help="kg/m^3 of the convex parts; 1000 is water, a box of air has 50")
    add("--max-faces", type=int, default=20_000, help="triangles above which a mesh is decimated")
    add("--texture-size", type=int, default=1024, help="largest side of a texture, pixels")
    add("--max-parts", type=int, default=16, help="most convex parts of an object")
    add("--threshold", type=float, default=0.05, help="how far from convex a part may be, 0.01 (many parts) to 1 (one)")
    add("--license", default="", help="license of the meshes, kept in catalog.yaml")
    add("--source", default="", help="where they come from, kept in catalog.yaml")
    add("--workers", type=int, default=1, help="number of processes")
    return parser

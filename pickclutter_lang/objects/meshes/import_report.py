"""What an import says: a line for each object, and the sheet `report.md`."""

from __future__ import annotations

from pathlib import Path

from pickclutter_lang.objects.meshes.imported_model import ImportedModel, describe
from pickclutter_lang.objects.meshes.mesh_importer import ImportResult
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.markdown import markdown_table, number

REPORT_FILE = "report.md"
_HEAVY = 3.0
"""What the arm, a Panda, lifts, kilograms."""
_HEAD = (
    "id", "name", "split", "size, cm", "unit", "up", "triangles", "texture", "convex parts", "parts / mesh volume",
    "covered", "density, kg/m3", "mass, g", "license", "source",
)  # fmt: skip


def result_lines(result: ImportResult) -> list[str]:
    """Return what happened to each mesh but the broken ones, a line each."""
    lines = []
    for word, ids in (("imported", result.new), ("replaced", result.replaced)):
        lines += [f"{word} {model_id}: {describe(result.models[model_id])}" for model_id in ids]
    if result.skipped:
        lines.append(f"skipped {len(result.skipped)} that did not change: {', '.join(result.skipped)}")
    heavy = [name for name, model in result.models.items() if model.mass > _HEAVY]
    if heavy:
        lines.append(
            f"heavier than the {_HEAVY:g} kg that the arm lifts: {', '.join(heavy)}; a hollow object needs a lower "
            "density, by --density or in the file of names"
        )
    return lines


def write_report(out: Path, result: ImportResult) -> None:
    """Write `report.md`: all objects of the folder, and the meshes that were not imported this time."""
    rows = [_row(name, model, result) for name, model in sorted(result.models.items())]
    parts = [f"# Imported meshes\n\n{len(rows)} objects. Mass is density times the volume of the convex parts."]
    parts.append(markdown_table(_HEAD, rows))
    if result.broken:
        table = markdown_table(("file", "reason"), [(item.path, item.reason) for item in result.broken])
        parts.append(f"## Not imported\n\n{table}")
    write_text(out / REPORT_FILE, "\n\n".join(parts) + "\n")


def _row(name: str, model: ImportedModel, result: ImportResult) -> list[object]:
    row = result.rows[name]
    return [
        name, row.get("name"), row.get("split"), " x ".join(number(100 * side) for side in model.size), model.unit,
        model.up, model.faces, model.texture, model.parts,
        number(None if model.mesh_volume is None else model.volume / model.mesh_volume, 2, "not closed"),
        f"{model.covered:.1%}", number(model.density, 0), number(1000 * model.mass, 0), row.get("license"),
        row.get("source"),
    ]  # fmt: skip

"""Write a student as ONNX: `pickclutter export-onnx run=runs/student out=student.onnx`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("export_onnx")
def main(config: DictConfig) -> None:
    """Export, compare with torch, and say what is in the file."""
    from pickclutter_lang.evaluation.export import ExportSettings, export_student

    done = export_student(typed(ExportSettings, config))
    size = done.path.stat().st_size / 1e6
    print(f"{done.path}: {len(done.names)} names, {size:.1f} MB, within {done.difference:.1g} of torch")

"""Write a student as ONNX: `pickclutter export-onnx run=runs/student out=student.onnx`."""

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("export_onnx")
def main(cfg: DictConfig) -> None:
    """Export, compare with torch, and say what is in the file."""
    from pickclutter_lang.experiments.scenes.export_onnx import OnnxExportConfig, export_student

    done = export_student(parse_config(OnnxExportConfig, cfg))
    size = done.path.stat().st_size / 1e6
    print(f"{done.path}: {len(done.names)} names, {size:.1f} MB, within {done.difference:.1g} of torch")

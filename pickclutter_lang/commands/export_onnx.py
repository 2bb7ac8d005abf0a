"""Export a finished student as ONNX, with the text of its labels baked in. Needs the extra export.

    pickclutter export-onnx run=runs/student "names=[banana,a red teapot]" out=student.onnx

The file is compared with torch.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.experiments.scenes.command_configs import OnnxExportConfig


@hydra_main(OnnxExportConfig)
def main(config: OnnxExportConfig) -> None:
    """Export, compare with torch, and report the file."""
    from pickclutter_lang.experiments.scenes.export_onnx import export_student

    done = export_student(config)
    size = done.path.stat().st_size / 1e6
    print(f"{done.path}: {len(done.names)} names, {size:.1f} MB, within {done.difference:.1g} of torch")

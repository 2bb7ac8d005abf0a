"""Export a policy folder for use without torch: ONNX networks, run by ONNX Runtime. Needs the extra export.

    pickclutter export-runtime policy=policy out=policy_onnx

Where it acts, the extra `runtime` is enough. The networks are compared with torch.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.policy.runtime_config import RuntimeExportConfig


@hydra_main(RuntimeExportConfig)
def main(config: RuntimeExportConfig) -> None:
    """Export, compare with torch, and report the folder."""
    from pickclutter_lang.policy.onnx_export import export_runtime

    done = export_runtime(config)
    size = sum(path.stat().st_size for path in done.folder.iterdir() if path.is_file()) / 1e6
    print(f"{done.folder}: {size:.1f} MB, within {done.difference:.1g} of torch")
    if done.of_8_bits is not None:
        print(f"8-bit networks: a score differs by {done.of_8_bits:.2g} on average from float32")

"""Encode further names for a policy that acts without torch.

    pickclutter encode-names policy=policy names=[teapot,"red mug"] out=names.safetensors

`OnnxStudent.add_names` takes the file. The teacher of the student is needed here, not there.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.policy.runtime_config import NameEncodingConfig


@hydra_main(NameEncodingConfig)
def main(config: NameEncodingConfig) -> None:
    """Encode, and print the file."""
    from pickclutter_lang.policy.onnx_export import encode_names

    features = encode_names(config)
    print(f"{config.out}: {', '.join(features.names)}")

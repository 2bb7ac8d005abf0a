"""Caption images for the loss cap: `pickclutter caption-images dataset=image_folder data.root=PICTURES`."""

from dataclasses import fields

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("caption_images")
def main(cfg: DictConfig) -> None:
    """Caption what has no caption yet, and say how a run takes them."""
    from pickclutter_lang.experiments.images.caption_images import CaptionConfig, caption_images

    own = {field.name: cfg[field.name] for field in fields(CaptionConfig)}  # a benchmark has more
    config = parse_config(CaptionConfig, DictConfig(own))
    done = caption_images(config)
    print(done.report)
    print(f"{done.new} images captioned now, {done.images} in all: data.captions={config.out} objective.cap=1")

"""Caption pictures for the loss cap: `pickclutter caption-images benchmark=image_folder data.root=PICTURES`."""

from dataclasses import fields

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("caption_images")
def main(config: DictConfig) -> None:
    """Caption what has no caption yet, and say how a run takes them."""
    from pickclutter_lang.benchmarks.caption_pictures import CaptionSettings, caption_pictures

    own = {field.name: config[field.name] for field in fields(CaptionSettings)}  # a benchmark has more
    settings = typed(CaptionSettings, DictConfig(own))
    done = caption_pictures(settings)
    print(done.report)
    print(f"{done.new} pictures captioned now, {done.pictures} in all: data.captions={settings.out} objective.cap=1")

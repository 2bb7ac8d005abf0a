"""Caption images with an image captioning model (BLIP, GIT), for the loss `cap`. Needs the extra `sentence`.

    pickclutter caption-images dataset=image_folder data.root=IMAGES out=captions.jsonl
    pickclutter train-image-student dataset=image_folder data.root=IMAGES data.captions=captions.jsonl objective.cap=1

Captions are saved after each batch; run again to resume. A file of another model or of other images is refused.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.experiments.images.config import CaptionConfig


@hydra_main(CaptionConfig, {"dataset": "object_views"}, ignore_other_keys=True)
def main(config: CaptionConfig) -> None:
    """Caption the images without a caption, and print how to train with the captions."""
    from pickclutter_lang.experiments.images.caption_images import caption_images

    done = caption_images(config)
    print(done.report)
    print(f"{done.new} images captioned now, {done.images} in all: data.captions={config.out} objective.cap=1")

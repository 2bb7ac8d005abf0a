"""Train a pocket teacher, a small CLIP, on renders or on your own images, and write its model card.

    pickclutter train-teacher scenes=[data/teacher] views=[data/views] out=runs/teacher
    pickclutter train-teacher teacher_data=image_folder images=photos/train classes=classes.json out=runs/teacher

Scenes come from `pickclutter collect-scenes split=teacher`, views from `pickclutter render-object-views`.
An interrupted command resumes when run again.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.teacher_training.config import TeacherTrainConfig


@hydra_main(TeacherTrainConfig, {"teacher_data": "renders"}, several_processes=True)
def main(config: TeacherTrainConfig) -> None:
    """Train, and print what is measured and the path of the teacher."""
    from pickclutter_lang.teacher_training.model_card import CARD_FILE
    from pickclutter_lang.teacher_training.train import train_teacher
    from pickclutter_lang.utils.markdown import tables_of
    from pickclutter_lang.utils.ranks import is_main

    folder = train_teacher(config)
    if not is_main():
        return
    print(tables_of((folder / CARD_FILE).read_text(encoding="utf-8"), "Held-out metrics"), end="")
    print(f"the teacher is in {folder}; its metrics are in {folder / CARD_FILE}")

"""Train the pocket teacher: `pickclutter train-teacher scenes=[...] views=[...] out=runs/teacher`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed
from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.pretraining.train import train_teacher


@command("train_teacher")
def main(config: DictConfig) -> None:
    """Train, and say where the teacher is."""
    folder = train_teacher(typed(TeacherTrainSettings, config))
    print(f"the teacher is in {folder}; its figures are in {folder / 'MODEL_CARD.md'}")

"""Commands that train a teacher, and that ask a language model for descriptions."""

from functools import partial

from pickclutter_lang.commands.app import Command
from pickclutter_lang.language.collect_descriptions import DescribeConfig, collect_descriptions, dry_run
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.utils.progress import track


@Command(
    TeacherTrainConfig,
    {"teacher_data": "renders"},
    trains=True,
    short=(
        *("scenes", "views", "images", "classes", "out", "steps", "seed", "num_threads", "pretrained"),
        "save_every",
    ),
)
def train_teacher(config: TeacherTrainConfig) -> None:
    """Train a pocket teacher, a small CLIP, on renders or on your own images, and write its model card.

        pickclutter train-teacher scenes=data/teacher views=data/views out=runs/teacher
        pickclutter train-teacher teacher_data=image_folder images=photos/train classes=classes.json out=runs/teacher

    Scenes come from `pickclutter collect-scenes split=teacher`, views from `pickclutter render-object-views`.
    An interrupted command resumes when run again.
    """
    from pickclutter_lang.teacher_training.train import train_teacher as run
    from pickclutter_lang.utils.hub_files import CARD_FILE
    from pickclutter_lang.utils.markdown import tables_of
    from pickclutter_lang.utils.ranks import is_main

    folder = run(config)
    if not is_main():
        return
    print(tables_of((folder / CARD_FILE).read_text(encoding="utf-8"), "Held-out metrics"), end="")
    print(f"the teacher is in {folder}; its metrics are in {folder / CARD_FILE}")


@Command(DescribeConfig)
def describe_labels(config: DescribeConfig) -> None:
    """Ask a language model to describe labels, with the paper's instructions (sections 5 and 6). Needs the extra llm.

        pickclutter describe-labels labels=mug,bolt model=gpt-4o-mini out=mine.json
        pickclutter describe-labels labels=names.txt style=distinct model=llama3 out=mine.json \
          base_url=http://localhost:11434/v1 api_key_env=null

    Each answer is saved at once. An interrupted command requests only the missing ones when run again.

    One request for each label goes to `base_url`, and nothing else. It holds the name of the model, the instruction
    with the label, the temperature if there is one, and the key. `dry_run=true` prints the requests and sends none.
    """
    if config.dry_run:
        requests = dry_run(config)
        print(f"{len(requests)} requests would go to {config.base_url}/chat/completions:", *requests, sep="\n")
        return
    done = collect_descriptions(config, track=partial(track, title="labels", transient=True))
    print(f"{len(done.texts)} labels are described in {config.out}")

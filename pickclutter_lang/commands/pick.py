"""Have the arm pick an object of a pile by its name, and write the video. Needs the extra sim.

    pickclutter pick "the yellow fruit" out=pick.mp4
    pickclutter pick "the lemon" policy=policy objects=proxy record=pick.rrd

The policy `open`, which lies in the package, decides: no training is needed. `policy=null` asks the embedded teacher.
"""

import sys
from contextlib import ExitStack
from pathlib import Path

from pickclutter_lang.commands.exit_status import exit_status
from pickclutter_lang.commands.first_word import first_word_as
from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.evaluation.config import PickConfig


@hydra_main(PickConfig)
def _main(config: PickConfig) -> None:
    """Pick, and say what came of it."""
    from pickclutter_lang.envs.vulkan import prepare_renderer
    from pickclutter_lang.utils.locks import file_lock

    with ExitStack() as held:
        for path in (config.out, config.record):
            if path is not None:
                held.enter_context(file_lock(Path(path)))
        prepare_renderer()
        from pickclutter_lang.evaluation.pick import pick

        found = pick(config)
    print(f"pile: {', '.join(found.pile)}")
    print(found.outcome)
    print(f"video: {config.out}")
    if config.record is not None:
        print(f"recording: rerun {config.record}")


def main() -> None:
    """Take the phrase as the first argument, or as `phrase=`."""
    with exit_status():
        sys.argv[1:] = first_word_as("phrase", sys.argv[1:])
    _main()

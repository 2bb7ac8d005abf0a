"""Commands of policies: export, evaluate, pick, look at images and frames, show a page in a browser, train PPO."""

import json
from pathlib import Path

from pickclutter_lang.commands.app import Command
from pickclutter_lang.demo.config import DemoConfig, LookConfig
from pickclutter_lang.evaluation.config import LocateConfig, PickConfig, PolicyEvalConfig
from pickclutter_lang.policy.config import PPOConfig
from pickclutter_lang.policy_making.config import (
    ExamplesConfig,
    ForgetConfig,
    LabelConfig,
    PolicyExportConfig,
    RuntimeExportConfig,
    TeachConfig,
)

_SHOWN = 8


@Command(PolicyExportConfig)
def export_policy(config: PolicyExportConfig) -> None:
    """Export a finished student as a policy folder of safetensors and JSON, for use in the environment.

        pickclutter export-policy run=runs/student out=policy

    All seen names share one threshold of their scores, all unseen names another. Before fine-tuning both come from the
    scenes of seen objects. After it, that of unseen names comes from the few-shot scenes, and seen names take the
    higher one of what both kinds of scenes give.
    """
    from pickclutter_lang.policy_making.export_policy import export_policy as run

    print(f"policy: {run(config)}")


@Command(RuntimeExportConfig)
def export_runtime(config: RuntimeExportConfig) -> None:
    """Export a policy folder for use without torch: ONNX networks, run by ONNX Runtime. Needs the extra export.

        pickclutter export-runtime policy=policy out=policy_onnx

    Where it acts, the extra `runtime` is enough. The networks are compared with torch. Names that the policy does not
    know are encoded here: "names=teapot,red mug".
    """
    from pickclutter_lang.policy_making.export_runtime import export_runtime as run

    done = run(config)
    size = sum(path.stat().st_size for path in done.folder.iterdir() if path.is_file()) / 1e6
    print(f"{done.folder}: {size:.1f} MB, within {done.difference:.1g} of torch")


@Command(
    TeachConfig,
    short=(
        *("policy", "out", "names", "images", "annotations", "point", "box"),
        *("objects", "scenes", "shots", "seed", "add"),
    ),
)
def teach(config: TeachConfig) -> None:
    """Show a policy objects: from then on it finds them in any pile by their names. No training; a second each.

        pickclutter teach policy=open names="my mug" images=mug.jpg out=mine
        pickclutter teach policy=open objects=my_meshes out=mine
        pickclutter teach policy=open scenes=data/few shots=5 out=mine

    A photo shows one object on a plain ground; point= or box= says which of several. Meshes need the extra sim.
    """
    from pickclutter_lang.policy_making.taught_folder import teach as run

    examples = run(config)
    out = config.out or config.policy
    names = list(config.names or examples.taught)
    shown = ", ".join(f"{name} ({examples.count(name)})" for name in names[:_SHOWN])
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    print(f"{out} knows, with so many examples: {shown}{more}")
    pick = f'pickclutter pick "{names[0]}" policy={out} objects={config.objects}, or ' if config.objects else ""
    print(f"next: {pick}pickclutter demo policy={out}")


@Command(
    LabelConfig,
    short=(
        *("looks", "names", "policy", "out", "model", "base_url", "api_key_env", "yes"),
        *("prices", "shots", "max_looks", "objects", "seed"),
    ),
)
def label(config: LabelConfig) -> None:
    """Have a large vision-language model name what lies in some looks, once, and teach a policy these names.

        pickclutter label looks=frames names=mug,lemon,drill policy=open out=mine model=gpt-4o yes=true
        pickclutter label looks=25 objects=proxy names=mug,lemon out=mine model=qwen2.5vl \
          base_url=http://localhost:11434/v1 api_key_env=null

    One picture of each look goes to `base_url`, with its segments numbered, and the names; nothing else. A picture is
    asked once: run again, the command goes on where it ended. Without names the model says what it sees.

    `out-labels` has the pictures, the answers, and review.png with what was learned. Needs the extra llm.
    """
    from pickclutter_lang.policy_making.label_looks import label_looks as run

    out = config.out or config.policy
    done = run(config)
    shown = ", ".join(f"{name} ({count})" for name, count in done.names.items())
    print(f"named: {shown or 'nothing'}")
    if any(done.tokens):
        print(f"tokens: {done.tokens[0]:,} of requests, {done.tokens[1]:,} of replies")
    if done.unanswered:
        print(f"without an answer: {done.unanswered} looks; run the same command again to ask about them")
    if done.names:
        print(f"review: {done.sheet}")
    if done.taught is None:
        print(f'next: pickclutter label ... names="{",".join(done.names)}"')
        return
    print(f"{out} knows {len(done.taught.taught)} names; {done.left_out} examples did not fit and were left out")
    print(f"next: pickclutter demo policy={out}")


@Command(ForgetConfig)
def forget(config: ForgetConfig) -> None:
    """Take objects that a policy was taught out of its memory.

    pickclutter forget policy=mine names="my mug"
    """
    from pickclutter_lang.policy_making.taught_folder import forget as run

    print(f"{config.policy} knows {', '.join(run(config.policy, config.names).taught) or 'nothing by examples'}")


@Command(ExamplesConfig)
def examples(config: ExamplesConfig) -> None:
    """List what a policy was taught, with a picture of each object.

    pickclutter examples policy=mine out=examples.png
    """
    from pickclutter_lang.policy_making.taught_folder import draw_examples
    from pickclutter_lang.utils.locks import file_lock

    with file_lock(Path(config.out)):
        found = draw_examples(config.policy, Path(config.out))
    for name in found.taught:
        print(f"{name}: {found.count(name)}")
    print(f"figure: {config.out}")


@Command(
    PolicyEvalConfig,
    short=(
        *("run", "policy", "out", "objects", "kinds", "episodes", "seed", "variants", "suite"),
        *("absent_probability", "workers"),
    ),
)
def evaluate_policy(config: PolicyEvalConfig) -> None:
    """Have policies pick the named object in the simulator, and count successes. Needs the extra sim.

        pickclutter evaluate-policy run=runs/student objects=ycb episodes=200
        pickclutter evaluate-policy policy=policy

    An interrupted command resumes when run again.
    """
    from pickclutter_lang.evaluation.evaluate import evaluate_policy as run
    from pickclutter_lang.results.page import PAGE_FILE
    from pickclutter_lang.utils.markdown import tables_of

    done = run(config)
    print(tables_of(done.tables, "Shares"), end="")
    print(f"report: {done.folder / PAGE_FILE}")


@Command(PickConfig, bare="phrase")
def pick(config: PickConfig) -> None:
    """Have the arm pick an object of a pile by its name, and write the video. Needs the extra sim.

        pickclutter pick "the yellow fruit" out=pick.mp4
        pickclutter pick "the lemon" policy=policy objects=proxy

    The policy `open`, which lies in the package, decides: no training is needed. `policy=null` asks the embedded
    teacher.
    """
    from pickclutter_lang.envs.renderer import prepare_renderer
    from pickclutter_lang.utils.locks import file_lock

    with file_lock(Path(config.out)):
        prepare_renderer()
        from pickclutter_lang.evaluation.pick import next_step
        from pickclutter_lang.evaluation.pick import pick as run

        found = run(config)
    print(f"pile: {', '.join(found.pile)}")
    print(found.outcome)
    print(f"video: {config.out}")
    print(f"next: {next_step(config, found)}")


@Command(LocateConfig, bare="frame")
def locate(config: LocateConfig) -> None:
    """Find named objects in an image with depth of any camera, and their grasps. Torch is not needed for a folder of
    export-runtime.

        pickclutter locate FOLDER names=mug,lemon policy=ycb out=located.png

    FOLDER has color.png, depth.png and camera.json. A grasp is the point between the fingertips in the camera's axes: x
    right, y down, z forward, meters.
    """
    from pickclutter_lang.utils.locks import file_lock

    with file_lock(Path(config.out)):
        from pickclutter_lang.evaluation.locate import locate as run
        from pickclutter_lang.evaluation.locate import locate_table, location_record

        found = run(config)
    if config.json:
        for one in found:
            print(json.dumps(location_record(one)))
    else:
        print(locate_table(found))
        print(f"picture: {config.out}")


@Command(LookConfig, bare="image")
def look(config: LookConfig) -> None:
    """Ask for names in an image: scores, thresholds and maps of a teacher, and of a student.

    Needs the extra train or sim.

        pickclutter look pile.png names="mug,yellow fruit" out=look.png
    """
    from pickclutter_lang.utils.locks import file_lock

    with file_lock(Path(config.out)):
        from pickclutter_lang.demo.look import POCKET_NOTE, THRESHOLD_NOTE, look_table
        from pickclutter_lang.demo.look import look as run

        found = run(config)
        print(look_table(found))
    for note in (*found.notes, THRESHOLD_NOTE):
        print(note)
    if config.teacher_name == "pocket" and config.checkpoint is None:
        print(POCKET_NOTE)
    print(f"figure: {config.out}")


@Command(DemoConfig)
def demo(config: DemoConfig) -> None:
    """Click an object to teach it, name it, and the arm picks it. In a browser. Needs the extra demo.

        pickclutter demo
        pickclutter demo policy=ycb objects=ycb out=mine

    The policy folder `out` keeps what was taught. The page also shows what student and teacher find for any name.

    Piles and picks need the extra sim; without it the page takes your own images.
    """
    import signal
    from contextlib import suppress
    from threading import Event

    from pickclutter_lang.demo.page import open_session, serve

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing is left behind then, as after Ctrl-C
    with open_session(config) as session, serve(session, config.port) as address:
        print(f"demo: {address} (Ctrl-C ends it)", flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()


@Command(PPOConfig)
def train_ppo(config: PPOConfig) -> None:
    """Train PPO (stable-baselines3) in the environment on a student's features. Needs the extras sim and rl.

        pickclutter train-ppo policy=policy steps=4096 out=runs/agent

    This is an example of the interface, not a solution of the task.
    """
    from pickclutter_lang.policy.ppo import train_ppo as run

    print(f"curves: {run(config)}")

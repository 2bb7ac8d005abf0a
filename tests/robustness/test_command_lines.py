"""What a person may mistype: one line that says what was expected, status 2, and nothing left behind.

The rows run in one process, through the function that the program calls.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pickclutter_lang.commands import COMMANDS, main

NAMES = sorted(name for group in COMMANDS.values() for name in group)
GIVEN = {
    "ablate-texts": ["scenes=[s]"],
    "caption-images": ["data.root=r"],
    "collect-demos": ["out=o"],
    "collect-scenes": ["out=o"],
    "compare-runs": ["runs=[a,b]", "out=o"],
    "demo": ["run=r"],
    "describe-labels": ["labels=[mug]", "model=m", "out=o.json"],
    "encode-names": ["policy=p", "names=[mug]"],
    "evaluate-affordance": ["run=r"],
    "evaluate-policy": ["run=r"],
    "export-lerobot": ["demos=d", "out=o"],
    "export-onnx": ["run=r"],
    "export-policy": ["run=r"],
    "export-runtime": ["policy=p"],
    "fetch": ["repository=a/b", "out=o"],
    "import-mesh": ["nowhere.stl", "--out=o"],
    "import-scenes": ["file=f", "split=id", "out=o"],
    "look": ["image=i", "names=[mug]"],
    "migrate": ["nowhere"],
    "pick": ["lemon"],
    "push": ["folder=f", "repository=a/b"],
    "render-object-views": ["out=o"],
    "reproduce-tables": ["table=1", "data.root=r", "out=o"],
    "reproduce-table12": ["out=o"],
    "train-affordance": ["out=o"],
    "train-image-student": ["data.root=r", "objective.cls=1", "out=o"],
    "train-ppo": ["policy=p", "out=o"],
    "train-teacher": ["images=i", "out=o"],
    "validate-grasp-labels": ["store=s"],
    "verify-scenes": ["store=s"],
}
"""What a command line of each command has anyway."""
TABLE = [
    # keys
    ("ablate-texts", "truncat=true", "got 'truncat'; did you mean truncate?"),
    ("bench", "repeat=3", "got 'repeat'; did you mean repeats?"),
    ("caption-images", "data.image_sise=64", "did you mean data.image_size"),
    ("collect-demos", "episode=3", "did you mean episodes?"),
    ("collect-scenes", "splitt=id", "got 'splitt'; did you mean split"),
    ("compare-runs", "run=[a,b]", "got 'run'; did you mean runs?"),
    ("demo", "prt=7860", "got 'prt'; did you mean port?"),
    ("describe-labels", "retrys=1", "did you mean retries?"),
    ("evaluate-affordance", "threads=2", "did you mean num_threads?"),
    ("evaluate-policy", "episode=3", "did you mean episodes?"),
    ("export-lerobot", "image=png", "did you mean images?"),
    ("export-onnx", "foo=1", "expected a key of export-onnx, but got 'foo'; see pickclutter export-onnx --help"),
    ("encode-names", "name=[mug]", "got 'name'; did you mean names?"),
    ("export-policy", "phse=distill", "did you mean phase?"),
    ("export-runtime", "polcy=p", "did you mean policy?"),
    ("fetch", "kinds=policy", "did you mean kind?"),
    ("push", "foldr=f", "did you mean folder?"),
    ("import-mesh", "--foo", "unrecognized arguments: --foo"),
    ("import-scenes", "splt=id", "did you mean split?"),
    ("look", "name=[mug]", "did you mean names?"),
    ("pick", "polcy=p", "did you mean policy?"),
    ("render-object-sheet", "sizes=64", "did you mean size?"),
    ("render-object-views", "sead=1", "did you mean seed?"),
    ("reproduce-table12", "epochs=1", "did you mean distill.epochs, few_shot.epochs"),
    ("reproduce-tables", "objective.clss=1", "did you mean objective.cls"),
    ("train-affordance", "distil.epochs=1", "did you mean distill.epochs"),
    ("train-affordance", "data.splits.foo=x", "got 'data.splits.foo'"),
    ("train-affordance", "+foo=1", "expected a key of the configuration, but got 'foo'"),
    ("train-image-student", "sed=1", "did you mean seed"),
    ("train-ppo", "step=1", "did you mean steps?"),
    ("train-teacher", "step=1", "did you mean steps?"),
    ("validate-grasp-labels", "instance=1", "did you mean instances?"),
    ("verify-scenes", "stor=x", "did you mean store?"),
    # groups and presets
    ("train-affordance", "teacher=poket", "got 'poket'; did you mean pocket"),
    ("train-affordance", "student=foo", "expected student to be one of"),
    ("train-affordance", "method=best_no_regio", "did you mean best_no_region"),
    ("train-affordance", "method=[cls,best]", "expected one preset of method, but got '[cls,best]'"),
    ("train-affordance", "experiment=foo", "expected experiment to be one of"),
    ("train-affordance", "student=null", "expected one preset of student, but got 'null'"),
    ("train-image-student", "dataset=foo", "expected dataset to be one of"),
    ("reproduce-table12", "experiment=foo", "expected experiment to be one of"),
    ("train-teacher", "teacher_data=foo", "expected teacher_data to be one of"),
    # the form of an override
    ("verify-scenes", "=5", "expected KEY=VALUE, but got '=5' without a key"),
    ("verify-scenes", "store", "expected KEY=VALUE, but got 'store', which has no ="),
    ("collect-scenes", "~scenes", "got '~scenes', which removes a key"),
    ("verify-scenes", "store=[a", "needs quotes"),
    ("describe-labels", "base_url=http://[::1", "needs quotes"),
    ("verify-scenes", "--foo", "unrecognized arguments: --foo"),
    ("verify-scenes", "--cfg", "expected one argument"),
    ("train-affordance", "seed=1,2", "train-affordance takes"),
    ("train-affordance", "--config-dir=nowhere", "nowhere"),
    ("train-affordance", "seed=abc", "expected seed to be a whole number, but got 'abc'"),
    (
        "evaluate-policy",
        "variants=oracle",
        "expected variants to be a list, [...], but got 'oracle'; write variants=[oracle]",
    ),
    ("train-teacher", "bf16=maybe", "expected bf16 to be true or false, but got 'maybe'"),
    ("train-ppo", "steps=1e3", "expected steps to be a whole number, but got 1000.0"),
    ("train-affordance", "distill=5", "expected distill to be a group of keys, such as distill.optimizer=..."),
    ("train-affordance", "out=${nothing}", "Interpolation key 'nothing' not found"),
    # ranges
    ("bench", "only=[decisions]", "but got 'decisions'; did you mean decision"),
    ("bench", "only=[env/steps]", "did you mean env/step"),
    ("bench", "repeats=0", "expected repeats to lie between 1 and 10000, but got 0"),
    ("bench", "objects=kinds", "expected objects to be one of proxy, ycb, but got 'kinds'"),
    ("bench", "out=o.md", "expected out to end in .json, but got 'o.md'"),
    ("collect-scenes", "seed=99999999999999999999999", "expected seed to lie between 0 and 4294967295"),
    ("evaluate-policy", "seed=4294967296", "expected seed to lie between 0 and 4294967295"),
    ("train-affordance", "seed=99999999999999999999", "expected seed to lie between 0 and 4294967295"),
    ("collect-demos", "camera_size=8", "expected camera_size to lie between 16 and 1024, but got 8"),
    ("collect-demos", "episodes=0", "expected episodes to lie between 1 and 4294967295, but got 0"),
    ("collect-demos", "seed=4294967296", "expected seed to lie between 0 and 4294967295"),
    ("collect-demos", "split=teacher", "expected split to be one of train, id, ood, fewshot, but got 'teacher'"),
    ("collect-demos", "control_mode=pd_joint_vel", "pd_ee_delta_pose"),
    ("collect-demos", "objects_root=nowhere", "there is none at 'nowhere'"),
    ("collect-demos", "out=", "expected out to be a path, but it is empty"),
    ("collect-scenes", "workers=1000", "expected workers to lie between 0 and 256, but got 1000"),
    ("collect-scenes", "objects_root=nowhere", "there is none at 'nowhere'"),
    ("collect-scenes", "objects=prxy", "a folder of objects (info_pick_v0.json and models/ID, names in catalog.yaml)"),
    ("collect-scenes", "object_split=5", "expected object_split from 0 to 4, but got 5"),
    ("collect-scenes", "distractors=1", "expected distractors to be a share from 0 to below 1"),
    ("evaluate-policy", "objects=[proxy,kinds]", "expected different sets in objects, and none of them kinds"),
    ("train-ppo", "objects=/dev", "expected info_pick_v0.json with the sizes of the objects in /dev"),
    ("pick", "objects=[]", "expected objects to be one of proxy, ycb, kinds, or a folder of objects"),
    ("demo", "objects=nowhere", "but got 'nowhere', and there is no such folder"),
    ("render-object-views", "objects=knids", "did you mean kinds?"),
    ("render-object-sheet", "objects=[proxy,nowhere]", "but got 'nowhere', and there is no such folder"),
    ("validate-grasp-labels", "objects=nowhere", "but got 'nowhere', and there is no such folder"),
    (
        "collect-scenes",
        "part=1/100",
        "expected at most as many parts as shards of shard_size=50, 60, but got part=1/100",
    ),
    ("collect-scenes", "engine=dask", "expected engine to be one of local, ray, but got 'dask'"),
    ("collect-demos", "engine=rayy", "expected engine to be one of local, ray, but got 'rayy'; did you mean ray?"),
    ("evaluate-policy", "address=head:6379", "expected engine=ray with an address, but got local and 'head:6379'"),
    ("collect-demos", "part=1/1001", "expected at most as many parts as episodes, 1000, but got part=1/1001"),
    ("evaluate-policy", "part=x", "expected part to be K/N with K from 1 to N, such as 3/8, but got 'x'"),
    ("collect-scenes", "spread=[]", "expected spread to be two lengths in meters"),
    ("collect-scenes", "spread=[0.1]", "expected spread to be two lengths in meters"),
    ("collect-scenes", "spread=[-1,-1]", "expected spread to lie between 0.0 and 1.0"),
    ("collect-scenes", "spread=[nan,0.1]", "expected spread to lie between 0.0 and 1.0, but got nan"),
    ("collect-scenes", "spread=[1e9,1e9]", "expected spread to lie between 0.0 and 1.0"),
    ("collect-scenes", "reach=[0,0]", "expected reach to lie between 0.01 and 1.0"),
    ("collect-scenes", "arm_noise=-1", "expected arm_noise to lie between 0.0 and 1.0"),
    ("collect-scenes", "arm_noise=nan", "expected arm_noise to lie between 0.0 and 1.0, but got nan"),
    ("collect-scenes", "arm_noise=1e9", "expected arm_noise to lie between 0.0 and 1.0"),
    ("collect-scenes", "camera.fov=5", "expected camera.fov to be a number from 10 to 150, or a range [low, high] of"),
    ("collect-scenes", "camera.x=[0.1,-0.1]", "expected camera.x to be a number from -0.2 to 0.2"),
    ("collect-scenes", "camera.x=[nan,0.1]", "expected camera.x to be a number from -0.2 to 0.2"),
    ("collect-scenes", "camera.yaw=[1,2,3]", "or a range [low, high] of them, but got [1, 2, 3]"),
    ("collect-scenes", "camera.depth_dropout=2", "expected camera.depth_dropout to be a number from 0 to 1"),
    ("collect-scenes", "camera.fovy=60", "got 'camera.fovy'; did you mean camera.fov"),
    ("collect-scenes", "camera=60", "expected camera to be a group of keys, such as camera.x=..."),
    ("collect-scenes", "appearance.table=nowhere", "there is none at 'nowhere'"),
    (
        "collect-scenes",
        "appearance.light_strength=-1",
        "expected appearance.light_strength to be a number from 0 to 10",
    ),
    ("collect-scenes", "appearance.shadows=7.5", "appearance.shadows"),
    ("collect-scenes", "out=", "expected out to be a path, but it is empty"),
    ("train-affordance", "out=", "expected out to be a path, but it is empty"),
    ("train-affordance", "device=meta", "expected device to be one that torch can use here (cpu"),
    ("train-affordance", "device=foo", "expected device to be one that torch can use here (cpu"),
    ("train-affordance", "distill.batch_size=1000000", "expected distill.batch_size to lie between 2 and 65536"),
    ("train-affordance", "distill.image_size_schedule=[64,64,64,64,64,64,64,64,64]", "at most one size an epoch"),
    ("train-affordance", "distill.milestones=[-1]", "expected distill.milestones to be at least 1, but got -1"),
    ("train-affordance", "data.image_size=100000", "expected data.image_size to lie between 16 and 4096"),
    ("train-affordance", "distill.lr=inf", "expected distill.lr to be larger than 0.0, but got inf"),
    ("train-affordance", "num_workers=1000", "expected num_workers to lie between 0 and 256"),
    ("evaluate-affordance", "num_threads=0", "expected num_threads to lie between 1 and 256, but got 0"),
    ("evaluate-affordance", "num_threads=-1", "expected num_threads to lie between 1 and 256, but got -1"),
    ("evaluate-affordance", "run=/etc/hostname", "expected run to be a folder, but /etc/hostname is a file"),
    ("push", "repository=me", "expected repository to be a repository owner/name"),
    (
        "fetch",
        "kind=polcy",
        "expected kind to be one of policy, teacher, scenes, demonstrations, lerobot",
    ),
    ("evaluate-policy", "absent_probability=2", "expected absent_probability to lie between 0.0 and 1.0"),
    ("evaluate-policy", "n_recordings=-1", "expected n_recordings to be at least 0, but got -1"),
    ("evaluate-policy", "objects_root=nowhere", "there is none at 'nowhere'"),
    ("evaluate-policy", "camera.fov=wide", "expected camera.fov to be a number from 10 to 150"),
    ("pick", "appearance.background=bluish", "expected appearance.background to be random, a color's name or #rrggbb"),
    ("evaluate-policy", "out=", "expected out to be a path, but it is empty"),
    ("compare-runs", "runs=[a]", "expected runs to be 2 to 8 folders of runs, but got 1"),
    ("compare-runs", "runs=[a,a/../a]", "expected runs to be different folders, but got a, a/../a"),
    ("compare-runs", "runs=[a,'']", "expected runs to be a path, but it is empty"),
    ("compare-runs", "out=", "expected out to be a path, but it is empty"),
    ("demo", "camera.roll=[10]", "expected camera.roll to be a number from -180 to 180"),
    ("demo", "port=1", "expected port to lie between 1024 and 65535, but got 1"),
    ("render-object-views", "size=100000", "expected size to lie between 16 and 1024"),
    ("render-object-views", "out=", "expected out to be a path, but it is empty"),
    ("render-object-sheet", "out=o.foo", "expected out to end in .png, but got 'o.foo'"),
    ("export-lerobot", "images=jpeg", "expected images to be one of png, video, but got 'jpeg'"),
    ("export-lerobot", "out=d", "expected another folder in out than in demos"),
    ("export-onnx", "out=o.foo", "expected out to end in .onnx"),
    ("encode-names", "names=[]", "expected names to have at least one name, such as names=[mug], but got []"),
    ("encode-names", "names=[mug,mug]", "expected each name once, but got mug more than once"),
    ("encode-names", "out=o.npz", "expected out to end in .safetensors, but got 'o.npz'"),
    ("export-runtime", "out=", "expected out to be a path, but it is empty"),
    ("export-runtime", "num_threads=0", "expected num_threads to lie between 1 and 256"),
    ("import-mesh", "--density=nan", "expected --density to lie between 1.0 and 25000.0, but got nan"),
    ("import-mesh", "--max-parts=0", "expected --max-parts to lie between 1 and 256, but got 0"),
    ("import-mesh", "--threshold=2", "expected --threshold to lie between 0.01 and 1.0, but got 2.0"),
    ("import-mesh", "--max-faces=5", "expected --max-faces to lie between 100 and 1000000, but got 5"),
    ("import-mesh", "--texture-size=9999", "expected --texture-size to lie between 64 and 8192, but got 9999"),
    ("import-mesh", "--workers=0", "expected --workers to lie between 1 and 256, but got 0"),
    ("import-mesh", "--out=", "expected --out to be a path, but it is empty"),
    ("import-mesh", "--license=a\nb", "expected --license to be one line, but got 'a\\nb'"),
    ("import-mesh", "--unit=parsec", "invalid choice: 'parsec'"),
    ("validate-grasp-labels", "objects_root=nowhere", "there is none at 'nowhere'"),
    ("ablate-texts", "device=cuda:99", "expected device to be one that torch can use here (cpu"),
    ("ablate-texts", "device=foo", "expected device to be one that torch can use here (cpu"),
    ("ablate-texts", "crop_fraction=0.001", "expected crop_fraction to lie between 0.1 and 1.0"),
    ("ablate-texts", "descriptions=[]", "expected descriptions"),
    ("train-teacher", "num_threads=0", "expected num_threads to lie between 1 and 256"),
    ("train-teacher", "out=/dev/null", "expected out to be a folder, but /dev/null is a file"),
    ("train-image-student", "out=", "expected out to be a path, but it is empty"),
    ("train-image-student", "data.max_classes=0", "max_classes"),
    ("reproduce-tables", "out=", "expected out to be a path, but it is empty"),
    ("reproduce-tables", "table=13", "expected table to be all, or of 1"),
    ("reproduce-table12", "out=", "expected out to be a path, but it is empty"),
    ("reproduce-table12", "workers=1000", "expected workers to lie between 1 and 256"),
    ("reproduce-table12", "seeds=[-1]", "expected seed to lie between 0 and 4294967295"),
    ("describe-labels", "temperature=nan", "expected temperature to lie between"),
    ("describe-labels", "out=o.txt", "expected out to end in .json"),
    # what is not there
    ("bench", "policy=nowhere", "expected a policy in nowhere"),
    ("verify-scenes", "store=nowhere", "make one: pickclutter collect-scenes"),
    ("push", "folder=nowhere", "expected a folder with one of policy.json (policy), open_clip_config.json (teacher)"),
    ("compare-runs", "runs=[nowhere,b]", "expected a run at nowhere"),
    ("export-policy", "run=nowhere", "expected a run at nowhere"),
    ("export-lerobot", "demos=nowhere", "make it: pickclutter collect-demos"),
    ("export-onnx", "run=nowhere", "expected a run at nowhere"),
    ("export-runtime", "policy=nowhere", "expected a policy in nowhere"),
    ("encode-names", "policy=nowhere", "expected a policy in nowhere"),
    ("import-mesh", "no.stl", "nowhere.stl: there is no such file; correct its path; no.stl: there is no such file"),
    ("migrate", "nowhere", "expected a folder at nowhere"),
    ("train-ppo", "policy=nowhere", "expected a policy in nowhere"),
    ("train-affordance", "teacher.checkpoint=/etc/hostname", "store"),
    ("check-install", "--objects=foo", "but got 'foo', and there is no such folder"),
]


def run(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a command line in this process; return its exit status and what it wrote to stderr."""
    capfd.readouterr()
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, capfd.readouterr().err


@pytest.mark.parametrize(("command", "word", "expected"), TABLE, ids=[f"{row[0]} {row[1][:40]}" for row in TABLE])
def test_a_mistake_is_one_line(
    command: str,
    word: str,
    expected: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    key = word.partition("=")[0]
    given = [one for one in GIVEN.get(command, []) if one.partition("=")[0] != key]
    status, shown = run([command, *given, word], capfd)
    assert status == 2, shown
    assert expected in shown and len(shown.splitlines()) == 1 and len(shown) < 800
    assert list(tmp_path.iterdir()) == []


def test_every_command_has_rows() -> None:
    assert {row[0] for row in TABLE} == set(NAMES)
    assert set(GIVEN) <= set(NAMES)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["evaluate-policy", "policy=nowhere"], "pickclutter export-policy"),
        (["train-teacher", "teacher_data=image_folder", "images=nowhere", "out=new"], "nowhere"),
        (["reproduce-table12", "scenes=nowhere", "methods=[cls]", "out=new"], "nowhere"),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_what_is_missing_is_named_before_a_folder_is_made(
    words: list[str],
    expected: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, shown = run(words, capfd)
    assert status == 2 and expected in shown and len(shown.splitlines()) == 1, shown
    assert list(tmp_path.iterdir()) == []

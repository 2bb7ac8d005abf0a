#!/usr/bin/env bash
# Builds the wheel and uses it as a user does: installed in clean environments, far from the checkout.
# - Python 3.11 with the simulator: environment, scenes, a training, an export.
# - Python 3.11 without torch: the exported policy decides and acts there as it did with torch.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1 OMP_NUM_THREADS=1
unset PYTHONPATH PYTHONDONTWRITEBYTECODE  # a module is compiled once
. scripts/install.sh

make_environment() {  # PYTHON FOLDER
    "$1" -m venv "$2"
    install "$2/bin/python" --upgrade pip
}

small_training() {  # ENVIRONMENT OUT
    "$1/bin/pickclutter" train-affordance experiment=quickstart scenes=scenes "out=$2" num_threads=1 precision=float32 data.image_size=64 \
        data.crop_size=null distill.image_size_schedule=[] distill.epochs=1 few_shot.epochs=1 distill.batch_size=8 few_shot.batch_size=4
    test -s "$2/report.html"  # made with the template that the wheel carries
    "$1/bin/pickclutter" export-policy "run=$2" "out=$2-policy"
    test -s "$2-policy/policy.json"
}

echo "wheel: building"
rm -rf build/lib  # setuptools puts what an earlier build left there into the wheel
.venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir "$work/dist" .
wheel=$(echo "$work"/dist/pickclutter_lang-*.whl)
cd "$work"

echo "wheel: Python 3.11 with the simulator"
make_environment "$checkout/.venv/bin/python" sim
install sim/bin/python -c "$checkout/constraints/py311.txt" "$wheel[sim,export]"
sim/bin/python -c '
import gymnasium
environment = gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", obs_mode="state")
print(environment.reset(seed=0)[1]["instruction"])'
mkdir scenes
for split in train id ood fewshot; do
    sim/bin/pickclutter collect-scenes split=$split scenes=12 objects=proxy image_size=64 workers=1 out=scenes/$split
done
PICKCLUTTER_CACHE=$work/cache sim/bin/pickclutter collect-scenes split=train scenes=2 objects=kinds "kinds=[mug,apple,fork,dice]" \
    image_size=64 workers=1 out=kinds
PICKCLUTTER_CACHE=$work/cache sim/bin/pickclutter pick "the red mug" out=pick.mp4
[ -s pick.mp4 ] || { echo "wheel: pick wrote no video"; exit 1; }
small_training sim student

echo "wheel: Python 3.11 without torch"
sim/bin/pickclutter export-runtime policy=student-policy names=[teapot] out=runtime num_threads=1
sim/bin/python -c '
import numpy as np
from pickclutter_lang.policy.policy import LanguagePickPolicy
LanguagePickPolicy.from_pretrained("open")
policy = LanguagePickPolicy.load("student-policy")
env = policy.make_env("proxy")
for seed in range(6):
    look = env.reset(seed=seed)[0]
    action, state = policy.predict(look)
    np.savez(f"look_{seed}.npz", expected_action=action, expected_score=state[0].detections[0].score, **look)'
make_environment "$checkout/.venv/bin/python" light
light/bin/python -m pip download --quiet --dest packages "$wheel[runtime]"
megabytes=$(du -sm packages | cut -f1)
[ "$megabytes" -lt 150 ] || { echo "wheel: the packages of [runtime] have $megabytes MB, and may have 150"; exit 1; }
install light/bin/python --no-index --find-links packages "$wheel[runtime]"
light/bin/python -c '
import importlib.util, sys
import numpy as np
from pickclutter_lang.language.instructions import encode_instruction
from pickclutter_lang.policy.policy import LanguagePickPolicy
absent = ["torch", "gymnasium", "open_clip", "timm", "hydra"]
assert not any(importlib.util.find_spec(name) for name in absent), "expected an environment without torch"
policy = LanguagePickPolicy.load("runtime")
for seed in range(6):
    look = dict(np.load(f"look_{seed}.npz"))
    action, score = look.pop("expected_action"), float(look.pop("expected_score"))
    found, state = policy.predict(look)
    assert abs(state[0].detections[0].score - score) < 1e-3, (state[0].detections[0].score, score)
    assert found.shape == action.shape and np.isfinite(found).all()
policy.predict({**look, "instruction": encode_instruction("pick up the teapot")})'
echo "wheel: $megabytes MB of packages, $(du -sm light | cut -f1) MB installed with pip"
rm -rf packages light

echo "wheel: all is well"

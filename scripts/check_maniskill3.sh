#!/usr/bin/env bash
# Runs tests in ManiSkill 3, beside which there can be no ManiSkill2, in build/maniskill3, with the Python of .venv: its
# environments, and what both simulators share.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/install.sh
environment=build/maniskill3
"$uv_python" -m uv venv --quiet --clear --seed --python "$uv_python" $environment
newer_constraints > $environment/constraints.txt
install $environment/bin/python -c $environment/constraints.txt -e '.[sim3,dev]' pyarrow  # for LeRobot
$environment/bin/python -c 'import mani_skill, numpy, platform; print("ManiSkill 3:", platform.python_version(), numpy.__version__)'
# Of `pick` only one test: what others pick depends on piles, which are dropped otherwise here.
$environment/bin/python -m pytest tests/envs/test_{maniskill3,collect,scene_generator,scene_view,object_renderer,grasp_labels}.py \
    tests/demonstrations/test_collect_demos.py tests/evaluation/test_pick.py::test_a_student_picks_out_of_a_pile_that_has_the_object "$@"
rm -rf $environment  # of gigabytes; it stays where a test fails

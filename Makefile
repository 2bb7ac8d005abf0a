# `make quickstart`: from a fresh machine to a student and its report. `make test`: the whole test suite.
PY := .venv/bin/python
OUT ?= runs/quickstart
OBJECTS ?= proxy
SCENES ?= 1200
PICKCLUTTER = .venv/bin/pickclutter
COLLECT = $(PICKCLUTTER) collect-scenes objects=$(OBJECTS) seed=0 image_size=176
export OMP_NUM_THREADS ?= 2
# Threads that wait sleep: spinning ones make a step many times slower as soon as anything else wants a core.
export OMP_WAIT_POLICY ?= passive

# Each module is compiled when it is first imported, and kept. Only the set-up is told of the variable: where others
# have it too, it compiles the packages.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: quickstart test check torture wheel-test new-python-test maniskill3-test style types setup constraints clean

quickstart: setup
	$(PICKCLUTTER) check-install out=$(OUT)/check_install.png
	$(PICKCLUTTER) pick "the yellow fruit" seed=2 out=$(OUT)/pick.mp4
	$(COLLECT) split=train scenes=$(SCENES) out=$(OUT)/scenes/train
	$(COLLECT) split=id scenes=200 out=$(OUT)/scenes/id
	$(COLLECT) split=ood scenes=300 out=$(OUT)/scenes/ood
	$(COLLECT) split=fewshot scenes=50 out=$(OUT)/scenes/fewshot
	$(PICKCLUTTER) train-affordance experiment=quickstart method=best student=pocket data.region_crops=object num_threads=2 \
		distill.epochs=6 distill.image_size_schedule=[96,112,128] few_shot.epochs=6 \
		scenes=$(OUT)/scenes out=$(OUT)/student
	@echo
	@echo "pick:    $(OUT)/pick.mp4, by the policy of the package"
	@echo "scenes:  $(OUT)/scenes/*/README.md, $(OUT)/scenes/*/contact_sheet.png"
	@echo "student: $(OUT)/student"
	@echo "report:  $(OUT)/student/report.html"

# Tests run in processes of one thread and up to 5 GB; three suit two cores, since a test often waits for something.
# The types, the wheel, which mostly unpacks packages, the newer Python and ManiSkill 3 are checked beside them.
WORKERS ?= 3
NEW_PYTHON_TESTS = $(addprefix tests/,datasets distillation language manipulation metrics results students training utils \
	policy/test_runtime.py experiments/scenes/test_scene_run.py)
test: export OMP_NUM_THREADS = 1
test: setup style
	@$(PY) -c 'import sys; sys.exit(sys.version_info >= (3, 12))' || { echo "error: tests need ManiSkill2, and so Python \
	3.10 or 3.11; remove .venv, and run PYTHON=python3.11 make test" >&2; exit 1; }
	@echo "types, wheel, newer Python and ManiSkill 3: checked beside the tests, with the output in build/beside.log"
	@mkdir -p build; { $(MAKE) --no-print-directory types && bash scripts/check_wheel.sh \
		&& bash scripts/check_new_python.sh $(NEW_PYTHON_TESTS) && bash scripts/check_maniskill3.sh; } \
		> build/beside.log 2>&1 & \
	beside=$$!; trap 'kill $$beside 2>/dev/null' EXIT; status=0; \
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 25 || status=$$?; \
	wait $$beside || status=$$?; cat build/beside.log; exit $$status

# What takes too long for every change: KILLS kills over all commands that write, hundreds of episodes in one process,
# and long trainings of a teacher.
torture: export OMP_NUM_THREADS = 1
torture: export KILLS ?= 100
torture: setup
	$(PY) -m pytest $(addprefix tests/,robustness teacher_training demonstrations objects/meshes policy/test_taught_folder.py) \
	--log-cli-level=INFO --timeout 0

# The wheel, in clean environments outside the checkout.
wheel-test: setup
	bash scripts/check_wheel.sh

# All that needs no simulator, on Python 3.13 or 3.12 and NumPy 2: 5 to 20 minutes. `make test` runs NEW_PYTHON_TESTS.
new-python-test: export OMP_NUM_THREADS = 1
new-python-test: setup
	bash scripts/check_new_python.sh -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# What runs in ManiSkill 3, in an environment of its own in build/maniskill3: 2 to 5 minutes.
maniskill3-test: export OMP_NUM_THREADS = 1
maniskill3-test: setup
	bash scripts/check_maniskill3.sh

# Before each push: style, types, what needs neither a simulator nor a training; lines of each room.
check: export OMP_NUM_THREADS = 1
check: setup style types
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow and not sim"
	$(PY) scripts/count_lines.py

style: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: setup
	MYPYPATH=tests:tests/golden:scripts .venv/bin/mypy pickclutter_lang tests

setup: .venv/installed

.venv/installed: pyproject.toml constraints/py311.txt scripts/setup.sh
	PYTHONDONTWRITEBYTECODE="$(PYTHONDONTWRITEBYTECODE)" bash scripts/setup.sh

# The newest versions of all dependencies; `make test` then says whether they work.
constraints:
	bash scripts/write_constraints.sh

clean:
	rm -rf .venv build runs

# The documentation site in build/site; strict: a warning is an error. Once its packages are there it needs no network.
.PHONY: docs tables
docs: setup
	@$(PY) -c 'import latex2mathml, material, mkdocstrings_handlers' 2>/dev/null || $(PY) -m pip install --quiet -e '.[dev]'
	$(PY) docs/make_results.py --check
	$(PY) -m mkdocs build --strict

# Tables of the pages, only from docs/results/data.
tables: setup
	$(PY) docs/make_results.py

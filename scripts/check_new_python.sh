#!/usr/bin/env bash
# Runs the tests that need no simulator with all other extras, on Python 3.13 or 3.12 and NumPy 2, in build/new_python.
# NEW_PYTHON names another Python. Words are pytest's.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/install.sh
environment=build/new_python

not_tested() {  # a failure where REQUIRE_NEW_PYTHON is set
    echo "new Python: NOT TESTED, $*" >&2
    exit ${REQUIRE_NEW_PYTHON:+1}
}

newest_python() {
    for version in 3.13 3.12; do
        for name in "python$version" "$HOME/.pyenv/versions/$version".*/bin/python "/usr/bin/python$version"; do
            if "$name" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null
            then echo "$name"; return; fi
        done
    done
}

[ "$(df --output=avail -BG . | tail -1 | tr -dc 0-9)" -ge 12 ] ||
    not_tested "PyPI's torch takes 6 GB, and the disk has less than 12 GB left"
python=${NEW_PYTHON:-$(newest_python)}
if [ -z "$python" ]; then
    "$uv_python" -m uv python install --quiet 3.13 || not_tested "neither 3.13 nor 3.12 is here, and uv could not fetch one"
    python=3.13
fi
"$uv_python" -m uv venv --quiet --clear --seed --python "$python" $environment
newer_constraints > $environment/constraints.txt
install $environment/bin/python -c $environment/constraints.txt -e '.[all]'
$environment/bin/python -c 'import numpy, platform; print("new Python:", platform.python_version(), "numpy", numpy.__version__)'
$environment/bin/python -m pytest -m "not slow and not sim" "$@"
rm -rf $environment  # of gigabytes; it stays where a test fails

#!/usr/bin/env bash
# Writes constraints/py311.txt: the newest versions that fit, resolved in a fresh environment. Run `make test` with them next.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
"${PYTHON:-python3.11}" -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --upgrade pip
"$environment/bin/python" -m pip install --quiet '.[all]'
{
    echo "# The versions that were tested on Python 3.11; scripts/setup.sh installs them. Written by: make constraints"
    echo "# torch and torchvision: any patch release, built for CPUs or for CUDA."
    "$environment/bin/python" -m pip freeze | grep -v '^#\|^pickclutter-lang' \
        | sed -E 's/^(torch|torchvision)==([0-9.]+).*/\1~=\2/; s/\+[a-z0-9.]+$//'
} > "$environment/py311.txt"
mv "$environment/py311.txt" constraints/py311.txt

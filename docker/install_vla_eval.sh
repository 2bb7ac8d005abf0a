#!/usr/bin/env bash
# Installs vla-evaluation-harness beside a package: install_vla_eval.sh PYTHON PACKAGE, this checkout or its wheel.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$1" -m pip install --no-cache-dir -c "$root/constraints/py311.txt" "$2[sim]" anyio pydantic tqdm 'imageio[ffmpeg]'
"$1" -m pip install --no-cache-dir --no-deps -r "$root/constraints/vla_eval.txt"

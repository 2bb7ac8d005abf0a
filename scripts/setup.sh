#!/usr/bin/env bash
# Makes .venv with the package and its extras; installs the system libraries of the simulator where they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "error: $*" >&2; exit 1; }

usable='import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))'  # from 3.12 on with ManiSkill 3

find_python() {
    for name in "${PYTHON:-}" python3.11 python3.10 python3.12 python3 python; do
        if [ -n "$name" ] && "$name" -c "$usable" 2>/dev/null
        then echo "$name"; return; fi
    done
}

missing_libraries() {
    cached=$(ldconfig -p)
    grep -q libvulkan.so.1 <<<"$cached" || echo libvulkan1
    grep -q libGL.so.1 <<<"$cached" || echo libgl1
    grep -q libX11.so.6 <<<"$cached" || echo libx11-6
    grep -q libgthread-2.0.so.0 <<<"$cached" || echo libglib2.0-0
    [ -e /dev/nvidiactl ] || ls /dev/dri/renderD* /usr/share/vulkan/icd.d/lvp_icd*.json >/dev/null 2>&1 || echo mesa-vulkan-drivers
}

if [ -x .venv/bin/python ] && ! .venv/bin/python -c "$usable"; then
    fail ".venv has $(.venv/bin/python --version), for which no simulator has wheels; remove .venv, and run this again"
fi

packages=$(missing_libraries | tr '\n' ' ')
if [ -n "$packages" ]; then
    root=""
    [ "$(id -u)" = 0 ] || root="sudo -n"
    line="apt-get install -y --no-install-recommends $packages"
    { $root true && $root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $root $line; } >/dev/null \
        || fail "system libraries are missing and could not be installed; run as root: apt-get update && $line"
fi

# A browser for the tests of report.html, which are skipped without one; installed beside the packages.
if ! command -v chromium chromium-browser google-chrome >/dev/null; then
    { $([ "$(id -u)" = 0 ] || echo sudo -n) bash -c \
        'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium' >/dev/null 2>&1 \
        || echo "note: chromium could not be installed; the tests of report.html in a browser are skipped"; } &
fi

if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    if [ -n "$python" ]; then
        "$python" -m venv .venv || { rm -rf .venv; fail "could not make .venv; on Debian and Ubuntu: apt-get install python3-venv"; }
    elif command -v uv >/dev/null; then
        uv venv --quiet --seed --python 3.11 .venv
    else
        fail "Python 3.10 to 3.12 is needed (the simulators have no wheels for others); name one with PYTHON=..., or install uv"
    fi
fi
echo "installing pickclutter-lang with all its extras into .venv (about 4 GB)"
export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install --quiet --no-compile --upgrade pip  # where uv fails: pip 23 resolves for minutes
.venv/bin/python -m pip install --quiet --no-compile 'uv>=0.9,<1' || echo "note: uv could not be installed; pip takes its place"
. scripts/install.sh
case $(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])') in
    3.10) tested=() ;;
    3.11) tested=(-c constraints/py311.txt) ;;
    *) newer_constraints > .venv/constraints.txt; tested=(-c .venv/constraints.txt) ;;
esac
install .venv/bin/python "${tested[@]}" -e '.[all]'
install .venv/bin/python --no-deps --upgrade --target .venv/wandb -r constraints/wandb.txt
# Where Python may not write what it compiled, every command would compile its thousands of modules anew.
if [ -n "${PYTHONDONTWRITEBYTECODE:-}" ]; then
    env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m compileall -q -j 0 .venv/lib .venv/wandb >/dev/null 2>&1 || true
fi
wait
touch .venv/installed

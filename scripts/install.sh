# Sourced by the scripts that make environments: `install PYTHON WORD...` is `pip install`, several times as fast.
# uv does not read pip's settings, so it is told where packages are; where it fails, pip tries. Modules are compiled when
# they are first imported, and most never are.

uv_python=$PWD/.venv/bin/python  # the environment that has uv

pip_setting() {  # NAME: from pip's files, or from its variables, which come last and win
    variable=PIP_$(tr a-z- A-Z_ <<<"$1")
    { "$uv_python" -m pip config list; echo "global.$1='${!variable:-}'"; } \
        | sed -n "s/^[a-z]*\.$1='\(..*\)'$/\1/p" | tail -1
}

UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$(pip_setting index-url)}
UV_INDEX=${UV_INDEX:-$(pip_setting extra-index-url)}
UV_FIND_LINKS=${UV_FIND_LINKS:-$(pip_setting find-links)}
for name in UV_DEFAULT_INDEX UV_INDEX UV_FIND_LINKS; do
    if [ -n "${!name}" ]; then export "${name?}"; else unset "$name"; fi
done

install() {  # setuptools warns of every editable installation by pip
    "$uv_python" -m uv pip install --quiet --python "$1" "${@:2}" && return
    echo "note: uv could not install that; trying with pip" >&2
    PYTHONWARNINGS=ignore "$1" -m pip install --quiet --no-compile "${@:2}"
}

newer_constraints() {  # what was tested, without what holds NumPy back; scikit-image 0.24 has no wheel for Python 3.13
    sed -E '/^(numpy|sapien|mani-skill2|scikit-image)==/d' constraints/py311.txt
}

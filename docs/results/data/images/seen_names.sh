#!/usr/bin/env bash
# Does the gain of L_im-cst grow with the number of seen names? bash seen_names.sh OUT
set -euo pipefail
out=$1 here=$(dirname "$(realpath "$0")")
export PYTHONPATH=$here
mkdir -p "$out"
cd "$out"
[ -f views/views.json ] || pickclutter render-object-views objects=kinds first_seed=1000000 instances=12 views_per_object=6 \
    random_lights=true size=112 out=views
one() {  # names, draw, row, losses
    # shellcheck disable=SC2086
    pickclutter train-image-student name="$3" data.name="seen_names:seen_$1" data.root=views data.image_size=112 \
        data.seed="$2" seed=0 num_threads=1 teacher.cache=features $4 out="seen_names/$1/$3/split$2_seed0"
}
export -f one
for draw in 0 1 2; do
    for names in 14 50 100; do
        printf '%s\n' "$names $draw cls objective.cls=1" "$names $draw cls+im_cst objective.cls=1 objective.im_cst=1"
    done
done | xargs -P 2 -L 1 bash -c 'one "$0" "$1" "$2" "${*:3}"'
for names in 14 50 100; do
    python "$here/../pack.py" "seen_names/$names" "$here/seen_${names}_all.tar.xz"
done

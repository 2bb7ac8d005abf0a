#!/usr/bin/env bash
# Table 12 with a teacher that read none of the 26 names, and with the shipped one, in the package's environment:
#     bash sweep.sh YCB_FOLDER OUT [SPLIT...]
set -euo pipefail
ycb=$(realpath "$1") out=$2 here=$(dirname "$(realpath "$0")")
shift 2
splits=${*:-0 1 2 3 4}
mkdir -p "$out"
cd "$out"
kinds=$(python - <<'PY'
from pickclutter_lang.kinds import all_kinds
from pickclutter_lang.objects.catalog import paper_catalog

named = {item.name for item in paper_catalog()}
print("[" + ",".join(f'"{kind.name}"' for kind in all_kinds() if kind.name not in named) + "]")
PY
)

[ -f views/views.json ] || pickclutter render-object-views objects=kinds "kinds=$kinds" instances=12 views_per_object=6 \
    random_lights=true size=112 out=views
pickclutter collect-scenes split=teacher objects=kinds "kinds=$kinds" instances=12 scenes=800 image_size=224 \
    graspable=false out=scenes_of_kinds
[ -f unseen/views.json ] || pickclutter render-object-views objects=ycb objects_root="$ycb" views_per_object=12 \
    random_lights=true size=112 out=unseen
OMP_NUM_THREADS=2 pickclutter train-teacher "scenes=[scenes_of_kinds]" "views=[views]" "unseen_views=[unseen]" \
    strong_augmentation=true text_steps=300 lr=0.0007 head_lr=0.002 text_lr=0.0005 scene_batch_size=8 \
    view_batch_size=64 max_names=64 "crop_sizes=[96,96,96,128]" warmup_fraction=0.02 crops_per_scene=2 occlusion=0.2 \
    low_resolution=0.2 bf16=true steps=900 out=teacher

for split in $splits; do
    for part in train:800:0 id:150:0 ood:300:0 fewshot:50:0 fewshot_1:50:1 fewshot_2:50:2; do
        IFS=: read -r name scenes seed <<< "$part"
        pickclutter collect-scenes objects=ycb objects_root="$ycb" object_split=$split split="${name%_*}" seed="$seed" \
            scenes="$scenes" image_size=176 graspable=false out="scenes/split$split/$name"
    done
done
for teacher in none shipped; do
    checkpoint=null
    [ $teacher = none ] && checkpoint=$PWD/teacher/teacher
    for split in $splits; do
        pickclutter reproduce-table12 experiment=table12_cpu scenes=scenes object_splits=$split "seeds=[0]" \
            "draws=[0,1,2]" "methods=[closed_set,cls,cls_imcst,cls_imcst_semantic,best]" \
            teacher.checkpoint="$checkpoint" out="runs/$teacher/split$split"
        python "$here/../pack.py" "runs/$teacher/split$split" "$here/${teacher}_$split.tar.xz"
    done
done
cp teacher/teacher/figures.json "$here/teacher.json"

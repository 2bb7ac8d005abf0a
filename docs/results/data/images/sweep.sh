#!/usr/bin/env bash
# Tables 1 to 4, 6, 10 and 11 on grocery photos, by the teacher imagenet: bash sweep.sh GROCERY/train OUT [SPLIT...]
set -euo pipefail
photos=$1 out=$2 here=$(dirname "$(realpath "$0")")
shift 2
splits=${*:-0 1 2}
for split in $splits; do
    pickclutter reproduce-tables "table=[1,2,3,4,6,10,11]" dataset=image_folder data.root="$photos" teacher=imagenet \
        "class_splits=[$split]" "seeds=[0]" text.truncate=true out="$out/split$split"
    python "$here/../pack.py" "$out/split$split" "$here/grocery_$split.tar.xz"
done
pickclutter reproduce-tables "figure=[1,2b,4]" dataset=image_folder data.root="$photos" teacher=imagenet \
    "class_splits=[0]" "seeds=[0]" text.truncate=true out="$out/split0"

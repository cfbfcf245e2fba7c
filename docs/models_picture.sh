#!/bin/sh
# Write the models screen's picture: docs/models_picture.sh PROGRAMS FILE. Changes of the demo robot, in a folder that goes afterwards.
set -eu
. "$(dirname "$0")/desk.sh"
"$programs/python" -m remote.training.write_scenes --output scenes --count 110 --seed 100000 >written.txt
fieldgate model export "$root/remote/bundles/tabletop" --output float
fieldgate model optimise float --int8 --fp16 --calibrate scenes/images --runs 0 --output made || test $? -eq 7
fieldgate model optimise float --prune 0.9 --keep-refused --runs 0 --output worse || test $? -ne 1
fieldgate model push worse/tabletop-prune demo || test $? -eq 3 # it sees nothing, so the one before comes back
fieldgate model push made/tabletop-int8 demo
fieldgate model push made/tabletop-fp16 demo --least-s 300 --no-wait
fieldgate demo --screen models --picture "$file"

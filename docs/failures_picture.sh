#!/bin/sh
# Write the failures screen's picture: docs/failures_picture.sh PROGRAMS FILE. Failures of the demo robot, in a folder that goes afterwards.
set -eu
. "$(dirname "$0")/desk.sh"
cat >scene.yaml <<'SCENE'
format: 1
scene: the table, and a cone that fell behind it
boxes: shares
complete: false
objects:
  - {label: cone, box: [0.01, 0.01, 0.06, 0.06]}
SCENE
fieldgate campaign new demo --bundle current --pack "$root/docs/table.yaml"
fieldgate campaign confirm fence
fieldgate phase begin lab
fieldgate session begin -c light=bright
fieldgate score scene demo scene.yaml --watch
for light in bright dim dim; do # a worker that begins anew finds anew that the cone is missing
	fieldgate session set "light=$light"
	fieldgate stop demo
	fieldgate start demo
	fieldgate watch demo --for 4s >watched.txt
done
agent=$(find "$FIELDGATE_HOME/data/demo" -name agent.lock -exec cat {} +)
kill -9 "$(pgrep -P "$agent" | head -n 1)" # its worker
fieldgate watch demo --for 4s >watched.txt
fieldgate failures pull demo
first=$(fieldgate failures list kind:no_detection --limit 1 | cut -d ' ' -f 1)
fieldgate failures mark to_label "$first"
fieldgate failures note "$first" "it fell behind the table"
fieldgate campaign open demo --screen failures --picture "$file"

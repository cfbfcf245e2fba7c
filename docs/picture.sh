#!/bin/sh
# Write the checklist's picture: docs/picture.sh PROGRAMS FILE. A campaign on the demo robot, in a folder that goes afterwards.
set -eu
. "$(dirname "$0")/desk.sh"
cp -r "$root/checklists/grasping/examples" evidence

say() { fieldgate campaign "$@" || test $? -eq 3; } # 3: it failed, which is what this picture wants to show
for one in "anna:Anna Alm:engineer" "bo:Bo Berg:safety" "cy:Cy Carl:lead"; do
	name=${one%%:*}
	ssh-keygen -q -t ed25519 -N "" -f "$name"
	full=${one#*:}
	fieldgate roster add "$name" --name "${full%%:*}" --role "${one##*:}" --key "$name.pub"
done
fieldgate campaign new demo --bundle current --pack grasping --files evidence
fieldgate check demo || test $? -eq 7
digits=$(fieldgate campaign log --json | grep -m1 -o '"serial":"[^"]*' | tail -c 5)
say poll --role engineer --go
say pass
say confirm no_power_modes
say confirm constraints --answer "$digits"
say witness constraints --answer "$digits" --as bo
say confirm fallback --no --note "network pulled: the arm went on for 2 s"
echo photo >sheet.jpg
say confirm recovery_gripper --file sheet.jpg
say override insurance --role lead --reason "the insurer's letter comes next week" --days 7 --as cy
sed -i '$d' evidence/real_trials.csv # and so its item is stale
fieldgate campaign open demo --picture "$file"

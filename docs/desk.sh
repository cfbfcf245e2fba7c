# What the scripts of pictures begin with, called with PROGRAMS FILE in the repository's root: a demo robot's home in a folder
# that goes afterwards. They go on in that folder; `root` and `file` say where they were called and where the picture goes.
programs=$(cd "$1" && pwd)
root=$(pwd)
file=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
PATH="$programs:$PATH"
desk=$(mktemp -d)
FIELDGATE_HOME="$desk/home" FIELDGATE_PERSON=anna
export PATH FIELDGATE_HOME FIELDGATE_PERSON
trap 'fieldgate-agent stop --home "$FIELDGATE_HOME/data/demo"; rm -r "$desk"' EXIT
cd "$desk"

#!/usr/bin/env bash
# Start every function in its image and report what the images weigh: infra/image/prove.sh TARGET…
. "$(dirname "$0")/builder.sh"
set -euo pipefail
here=$(dirname "$0")
python=$repo/.venv/bin/python
REPOSITORY=${REPOSITORY:-dev.local}
TAG=${TAG:-dev}
archives=()
for target; do archives+=("$cache/kinora-$target.tar"); done
"$python" "$here/report.py" "${archives[@]}"
if [ "$BUILDER" = docker ]; then
  "$python" "$here/prove.py" "$REPOSITORY" "$TAG" docker -- "$@"
else
  "$python" "$here/prove.py" "$REPOSITORY" "$TAG" buildah --root "$cache/storage" --runroot "$cache/run" \
    --storage-driver "$(cat "$driver")" -- "$@"
fi

#!/usr/bin/env bash
# Build images: infra/image/build.sh [--push] [TARGET…], of lean, media, gateway; all without one.
#   REPOSITORY  what stands before kinora-<target>; dev.local (no registry) as default
#   TAG         dev
#   BASE        image with Python 3.11 to stand on; in dev.local one made here, else the Containerfile's
#   SOURCE      where the source can be had: a label
#   BUILDER     buildah or docker
# Each becomes .cache/images/kinora-<target>.tar, with its inventory (.cdx.json) beside it; with --push
# it goes to the registry instead, to which `buildah login` or `docker login` opened the way.
push=
if [ "${1:-}" = --push ]; then push=1; shift; fi
if [ $# -eq 0 ]; then set -- lean media gateway; fi
# What is mistyped is told before anything is installed or built.
usage() { echo "images: $*; see the head of $0" >&2; exit 2; }
for target; do
  case $target in
    lean | media | gateway) ;;
    *) usage "there is no image $target" ;;
  esac
done
case ${BUILDER:-} in
  '' | buildah | docker) ;;
  *) usage "BUILDER is buildah or docker, not $BUILDER" ;;
esac
if [ -n "$push" ] && [ "${REPOSITORY:-dev.local}" = dev.local ]; then usage 'REPOSITORY names no registry'; fi
. "$(dirname "$0")/builder.sh"
set -euo pipefail
REPOSITORY=${REPOSITORY:-dev.local}
TAG=${TAG:-dev}

arguments=()
if [ -z "${BASE:-}" ] && [ "$REPOSITORY" = dev.local ]; then BASE=dev.local/python:3.11-bookworm; fi
if [ "${BASE:-}" = dev.local/python:3.11-bookworm ]; then
  "$(dirname "$0")/base.sh"
  arguments+=(--build-arg "INSTALLER=$BASE-installer")
fi
if [ -n "${BASE:-}" ]; then arguments+=(--build-arg "BASE=$BASE"); fi

# What this machine needs to get packages, as secrets: no layer keeps them.
secrets=$(mktemp -d)
trap 'rm -rf "$secrets"' EXIT
python=$repo/.venv/bin/python
"$python" "$(dirname "$0")/installer.py" "$secrets"
arguments+=(--secret "id=pip,src=$secrets/pip" --secret "id=certificates,src=$secrets/certificates")
for proxy in HTTP_PROXY HTTPS_PROXY NO_PROXY; do
  if [ -n "${!proxy:-}" ]; then arguments+=(--build-arg "$proxy=${!proxy}"); fi
done

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$repo/pyproject.toml")
revision=$(git -C "$repo" rev-parse HEAD 2>/dev/null || echo unknown)
# Written into the file: buildah takes a label from its cache although its arguments changed.
containerfile=$secrets/Containerfile
cp "$repo/infra/image/Containerfile.dockerignore" "$containerfile.dockerignore"
sed -e "s|\${VERSION}|$version|; s|\${REVISION}|$revision|; s|\${SOURCE}|${SOURCE:-unknown}|" \
  "$repo/infra/image/Containerfile" >"$containerfile"
for target; do
  image=$REPOSITORY/kinora-$target:$TAG
  archive=$cache/kinora-$target.tar
  say "$image"
  build --file "$containerfile" $(ignoring "$containerfile.dockerignore") \
    --target "$target" --tag "$image" "${arguments[@]}" "$repo"
  if [ -n "$push" ]; then publish "$image"; continue; fi
  # An archive is as large as its image: written only when that changed.
  id=$image@$(identity "$image")
  if [ -e "$archive" ] && [ "$(cat "$archive.id" 2>/dev/null)" = "$id" ]; then continue; fi
  # Whole or not at all: somebody may be loading the one before.
  rm -f "$archive.part"
  save "$image" "$archive.part"
  mv "$archive.part" "$archive"
  echo "$id" >"$archive.id"
done

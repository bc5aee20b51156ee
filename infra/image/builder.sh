# Sourced: `builder` is buildah or docker, whichever is here (BUILDER=docker chooses), with a storage of the
# project's own where it can have one. `publish IMAGE:TAG` prints what an overlay names it by, IMAGE@DIGEST.
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=$repo/.cache/images
mkdir -p "$cache"

BUILDER=${BUILDER:-$(command -v buildah >/dev/null || ! docker info >/dev/null 2>&1 && echo buildah || echo docker)}
say() { echo "images: $*" >&2; }

if [ "$BUILDER" = docker ]; then
  builder() { command docker "$@"; }
  build() { DOCKER_BUILDKIT=1 builder build --quiet "$@" >/dev/null; }
  ignoring() { :; } # finds it beside the Containerfile
  known() { builder image inspect "$1" >/dev/null 2>&1; }
  identity() { builder image inspect --format '{{.Id}}' "$1"; }
  save() { builder save --output "$2" "$1"; }
  publish() {
    builder push --quiet "$1" >&2
    builder image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$1" | grep "^${1%:*}@"
  }
else
  "$repo/infra/servers/packages.sh" buildah
  # Overlays are a copy less a layer; not every file system carries them.
  driver=$cache/driver
  if [ ! -e "$driver" ]; then
    trial=$(mktemp -d -p "$cache")
    buildah --root "$trial/root" --runroot "$trial/run" --storage-driver overlay from scratch >/dev/null 2>&1 &&
      buildah --root "$trial/root" --runroot "$trial/run" --storage-driver overlay mount working-container >/dev/null 2>&1 &&
      echo overlay >"$driver" || echo vfs >"$driver"
    buildah --root "$trial/root" --runroot "$trial/run" --storage-driver "$(cat "$driver")" rm --all >/dev/null 2>&1 || true
    rm -rf "$trial"
  fi
  builder() {
    command buildah --root "$cache/storage" --runroot "$cache/run" --storage-driver "$(cat "$driver")" "$@"
  }
  # No network of its own and no container runtime is needed to build.
  build() { builder build --quiet --layers --isolation chroot --network host --format docker "$@" >/dev/null; }
  ignoring() { echo --ignorefile "$1"; }
  known() { builder inspect --type image "$1" >/dev/null 2>&1; }
  identity() { builder inspect --type image --format '{{.FromImageID}}' "$1"; }
  save() { builder push --quiet "$1" "docker-archive:$2:$1" >/dev/null; }
  publish() {
    builder push --quiet --digestfile "$cache/digest" "$1" >&2
    echo "${1%:*}@$(cat "$cache/digest")"
  }
fi

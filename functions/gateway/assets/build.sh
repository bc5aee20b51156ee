#!/usr/bin/env bash
# Bring what the page takes from others, at the versions and hashes of the lock, and lay it where
# the gateway serves it, each with its licence. Without npm the page works without a player of its
# own, so that is said and no failure.
set -euo pipefail
cd "$(dirname "$0")"
vendor=../static/vendor

if ! command -v npm >/dev/null; then
  echo "npm is not here: the page plays only in browsers that know HLS by themselves" >&2
  exit 0
fi
npm ci --no-fund --no-audit --loglevel=error >/dev/null

rm -rf "$vendor"
mkdir -p "$vendor/hls"
# The source maps are left away, and the lines that ask for them.
for file in hls.min.mjs hls.worker.js; do
  grep -v '^//# sourceMappingURL=' "node_modules/hls.js/dist/$file" >"$vendor/hls/$file"
done
mv "$vendor/hls/hls.min.mjs" "$vendor/hls/hls.js"
cp node_modules/hls.js/LICENSE "$vendor/hls/LICENSE"
touch "$vendor/stamp"

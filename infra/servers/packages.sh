#!/usr/bin/env bash
# Install Debian packages that are missing: infra/servers/packages.sh NAME[:PROGRAM]…
# A package is there when its program is, which is called as it unless another is named.
set -euo pipefail
missing=()
for name in "$@"; do
  if ! command -v "${name#*:}" >/dev/null; then missing+=("${name%%:*}"); fi
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "packages.sh: install these by hand: ${missing[*]}" >&2
  exit 1
fi
apt-get update --quiet=2
# A server that starts by itself would stand in the way of those that the tests start.
DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install --quiet=2 --yes --no-install-recommends "${missing[@]}"

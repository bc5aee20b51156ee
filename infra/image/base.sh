#!/usr/bin/env bash
# Make dev.local/python:3.11-bookworm, and …-installer with `venv`, from Debian's packages: a base
# where no registry can be reached. Made once (a minute) and kept; remove .cache/images/base to make
# it again.
. "$(dirname "$0")/builder.sh"
set -euo pipefail
name=dev.local/python:3.11-bookworm
kept=$cache/base

if [ ! -e "$kept/done" ]; then
  if [ "$(id -u)" -ne 0 ]; then say 'debootstrap needs root'; exit 1; fi
  "$repo/infra/servers/packages.sh" debootstrap
  say 'Debian with Python 3.11 (a minute, once)'
  mkdir -p "$kept"
  root=$(mktemp -d -p "$cache")
  trap 'rm -rf --one-file-system "$root"' EXIT
  debootstrap --variant=minbase --include=ca-certificates,python-is-python3,python3,python3-venv \
    bookworm "$root" >"$kept/debootstrap.log"
  rm -rf "$root"/var/cache/{apt,debconf}/* "$root"/var/lib/apt/lists/* "$root"/var/log/* \
    "$root"/usr/share/{doc,man,info,locale}/*
  tar -C "$root" --exclude './dev/*' -cf "$kept/installer.tar" .
  chroot "$root" dpkg --purge --force-depends python3-venv python3.11-venv python3-pip-whl \
    python3-setuptools-whl python3-distutils python3-lib2to3 >>"$kept/debootstrap.log" 2>&1
  tar -C "$root" --exclude './dev/*' -cf "$kept/python.tar" .
  touch "$kept/done"
fi
add() { # IMAGE ARCHIVE
  if known "$1" && [ ! "$kept/done" -nt "$kept/$2.added" ]; then return; fi
  build --tag "$1" --file - "$kept" <<<"FROM scratch
ADD $2.tar /"
  touch "$kept/$2.added"
}
add "$name" python
add "$name-installer" installer

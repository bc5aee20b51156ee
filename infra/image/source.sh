#!/bin/sh
# Within a build: source.sh FOLDER… leaves these of /app/functions and compiles the whole; with
# --installed the project in /app becomes /installed/app and /installed/bin, as any installer does it.
set -eu
compile() { python -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$1" -p "$2" "$1"; }
if [ "$1" = --installed ]; then
  pip install --quiet --no-index --no-deps --no-build-isolation --no-compile \
    --target /installed/app /app
  mv /installed/app/bin /installed/bin
  # Of the Python that runs, not of the installer's.
  sed -i '1s|.*|#!/usr/bin/env python3|' /installed/bin/kinora
  compile /installed/app /opt/kinora/app
  exit 0
fi
for folder in /app/functions/*/; do
  name=$(basename "$folder")
  case " $* " in *" $name "*) ;; *) rm -rf "$folder" ;; esac
done
compile /app /opt/kinora/app

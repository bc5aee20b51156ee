#!/usr/bin/env bash
# Build the MinIO server that the tests run against: infra/servers/minio.sh FOLDER
# MinIO is archived and its downloads are gone; its Go module is what is left, pinned here.
set -euo pipefail
folder=$(realpath -m "$1")
version=v0.0.0-20260212201848-7aac2a2c5b7c
if [ -x "$folder/minio" ]; then exit 0; fi
if ! command -v go >/dev/null; then
  echo "minio.sh: Go 1.24 or newer is needed to build MinIO" >&2
  exit 1
fi
mkdir -p "$folder"
GOBIN="$folder" CGO_ENABLED=0 go install "github.com/minio/minio@$version"

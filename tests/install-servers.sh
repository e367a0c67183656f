#!/bin/sh
# Installs the S3 server that the tests use, versitygw 1.8.0, into the cache folder where tests/s3-server.ts looks for it.
# Does nothing where it is already there. Needs Go 1.25 or newer; the first time takes some minutes.
set -eu

version=1.8.0
dir="${XDG_CACHE_HOME:-$HOME/.cache}/kedge/versitygw-$version"

if [ -x "$dir/versitygw" ]; then
  echo "versitygw $version is there: $dir/versitygw"
  exit 0
fi
if ! command -v go >/dev/null 2>&1; then
  echo "install-servers: Go is not installed. Install Go 1.25 or newer, from https://go.dev/dl or your system." >&2
  exit 1
fi

mkdir -p "$dir"
build=$(mktemp -d "$dir/build.XXXXXX")
trap 'rm -rf "$build"' EXIT
GOBIN="$build" CGO_ENABLED=0 go install -ldflags='-s -w' "github.com/versity/versitygw/cmd/versitygw@v$version"
# By rename, so that a run that is broken off leaves nothing that looks installed.
mv "$build/versitygw" "$dir/versitygw"
echo "versitygw $version installed: $dir/versitygw"

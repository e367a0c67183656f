#!/bin/sh
# Installs the real programs that the tests use: Redis, Postgres and Chromium from Debian's packages, and the S3 server, versitygw 1.8.0, into the cache folder where
# tests/s3-server.ts looks for it. Does nothing for what is already there. versitygw needs Go 1.25 or newer; the first time takes some minutes. No server is left running.
set -eu

# As trainer/history/testing/postgres.ts looks for it: Debian keeps these programs out of the PATH.
has_postgres() {
  for bin in /usr/lib/postgresql/*/bin; do
    if [ -x "$bin/initdb" ] && [ -x "$bin/pg_ctl" ] && [ -x "$bin/postgres" ]; then return 0; fi
  done
  command -v initdb >/dev/null 2>&1 && command -v pg_ctl >/dev/null 2>&1 && command -v postgres >/dev/null 2>&1
}

# As bench/report/testing/chromium.ts looks for it.
has_chromium() {
  [ -e "${KEDGE_TEST_CHROMIUM:-/usr/bin/chromium}" ] || [ -e /usr/bin/chromium-browser ] || [ -e /usr/bin/google-chrome ]
}

packages=
command -v redis-server >/dev/null 2>&1 || packages="redis-server"
has_postgres || packages="$packages postgresql"
has_chromium || packages="$packages chromium fonts-liberation"
if [ -n "$packages" ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "install-servers: these are missing, and only root on a Debian or Ubuntu can have them installed here:$(printf ' %s' $packages). Install them from your system." >&2
    exit 1
  fi
  # Packages of servers start them where nothing forbids it, and the tests start their own.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    ours=yes
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
  if [ -n "${ours:-}" ]; then rm -f "$policy"; fi
  trap - EXIT
fi
redis-server --version
has_postgres || { echo 'install-servers: initdb, pg_ctl and postgres are not where the tests look for them.' >&2; exit 1; }
echo 'Postgres is there'
has_chromium || { echo 'install-servers: there is no Chromium where the tests look for one.' >&2; exit 1; }
echo 'Chromium is there'

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

#!/usr/bin/env bash
# Runs the real HPA controller over our scenarios, in virtual time, and writes what it did to bench/hpa/traces. Wants Go 1.26 or newer; the first
# build takes about 9 minutes of CPU, a run a few seconds.
#   bash bench/hpa/controller/record.sh            writes the traces
#   bash bench/hpa/controller/record.sh --check    writes nothing, and fails where the controller would do otherwise than the traces say
set -euo pipefail
cd "$(dirname "$0")"

at_least_126() { [ "$(printf '%s\n' 1.26 "$1" | sort -V | head -n 1)" = 1.26 ]; }
if ! version=$(go env GOVERSION 2>/dev/null) || ! at_least_126 "${version#go}"; then
  echo "left out: the real HPA controller (Go 1.26 or newer builds it, here is ${version:-none})"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
traces=../traces
[ "${1:-}" = --check ] && traces=$work/traces
mkdir -p "$traces"

echo 'building the controller (a few minutes the first time)'
CGO_ENABLED=0 nice -n 10 go test -vet=off -c -o "$work/record" .
npx node write.ts "$work/scenarios"
rm -f "$traces"/*.jsonl
SCENARIOS=$work/scenarios TRACES=$traces "$work/record" -test.run '^TestRecord$'
ls "$traces"/*.jsonl | wc -l | xargs echo 'traces:'
if [ "${1:-}" = --check ]; then
  diff -r "$traces" ../traces
  echo 'the controller does what the traces say'
fi

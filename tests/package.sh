#!/usr/bin/env bash
# Packs Kedge, installs the package into an empty folder, and takes the whole path with it.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

tarball=$(npm pack --silent --pack-destination "$place" | tail -n 1)
cd "$place"
npm init --yes >/dev/null
npm install --no-audit --no-fund --ignore-scripts "./$tarball"
# The package wants Node 24; where the machine has an older one, the clone's pinned Node stands in for it.
node=$(command -v node)
[ "$("$node" -p 'Number(process.versions.node.split(".")[0]) >= 24')" = true ] || node=$root/node_modules/.bin/node
"$node" node_modules/kedge/dist/kedge.js --version
"$node" node_modules/kedge/dist/kedge.js quickstart --once

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

# The server of the package, without a clone beside it: the page at /docs comes out of the bundle, whole.
mkdir "$place/volume"
KEDGE_PORT=0 KEDGE_ADMIN_PORT=0 KEDGE_HOST=127.0.0.1 KEDGE_DRAIN_SECONDS=0 \
  "$node" node_modules/kedge/dist/kedge.js serve --volume "$place/volume" 2>"$place/serve.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$place"' EXIT
"$node" --input-type=module - "$place/serve.log" <<'JS'
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

const port = async () => {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = /"port":(\d+)/.exec(await readFile(process.argv[2], 'utf8'));
    if (found) return found[1];
    await setTimeout(100);
  }
  throw new Error('The server does not say that it listens.');
};
const url = `http://127.0.0.1:${await port()}`;
const text = async (path) => {
  const response = await fetch(url + path);
  if (response.status !== 200) throw new Error(`${path} answers ${response.status}.`);
  return response.text();
};
const page = await text('/docs');
const files = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
if (files.length !== 3) throw new Error(`The page wants ${files}.`);
for (const path of files) if ((await text(path)).length < 50) throw new Error(`${path} is empty.`);
if (!(await text('/docs/swagger-ui-bundle.js')).includes('SwaggerUIBundle')) throw new Error('It is no Swagger UI.');
if (JSON.parse(await text('/openapi.json')).openapi !== '3.1.0') throw new Error('There is no document.');
console.log('The page at /docs comes out of the package.');
JS
kill -TERM "$server"
wait "$server"

#!/usr/bin/env bash
# Builds the image and its bill of materials. Usage: npm run image [-- TAG]; BASE_IMAGE, CONTAINER_ENGINE and what is in ENGINE_OPTIONS are handed on.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(node -p "JSON.parse(require('fs').readFileSync('package.json', 'utf8')).version")
tag=${1:-kedge:$version}

engine=${CONTAINER_ENGINE:-}
for candidate in docker podman buildah; do
  if [ -z "$engine" ] && command -v "$candidate" >/dev/null 2>&1; then engine=$candidate; fi
done
if [ -z "$engine" ]; then
  echo 'image: there is no docker, podman or buildah. Install one, or name another in CONTAINER_ENGINE.' >&2
  exit 1
fi

npm run build
# All packages that the bundle was made from, not only those that an installed package needs.
npm sbom --package-lock-only --sbom-format cyclonedx >"kedge-$version.cdx.json"

# shellcheck disable=SC2086
"$engine" build ${ENGINE_OPTIONS:-} --file Containerfile --tag "$tag" \
  ${BASE_IMAGE:+--build-arg BASE_IMAGE="$BASE_IMAGE"} \
  --build-arg VERSION="$version" --build-arg REVISION="$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" .
echo "Built $tag; its bill of materials is kedge-$version.cdx.json."

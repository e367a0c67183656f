#!/usr/bin/env bash
# Builds the image from the Containerfile, without a registry, and runs it as a node of Kubernetes would: as user 10001, on a read-only root file
# system, without new privileges, the program as the first process of its namespace. Loader and server take a model from a bucket, answer a
# prediction, and leave on SIGTERM with 0. Needs root on a Debian, whose packages buildah and mmdebstrap it installs. Prints the sizes.
# KEDGE_IMAGE_ARCH=arm64 does it for another processor than this one, emulated: by hand, since all takes twenty times as long.
set -euo pipefail
cd "$(dirname "$0")/.."
left_out() {
  echo "The image is LEFT OUT: $*"
  exit 0
}
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then left_out 'this wants root on a Debian.'; fi
# What the machine forbids says nothing of the image; whatever comes after these lines does.
unshare --mount --pid --ipc --fork --propagation private mount -t tmpfs tmpfs /mnt 2>/dev/null || left_out 'this machine gives no namespaces with mounts.'
for package in buildah mmdebstrap; do
  if ! command -v "$package" >/dev/null 2>&1; then
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends buildah mmdebstrap >/dev/null; } ||
      left_out 'buildah and mmdebstrap cannot be installed here.'
  fi
done

arch=${KEDGE_IMAGE_ARCH:-$(dpkg --print-architecture)}
emulated=
if [ "$arch" != "$(dpkg --print-architecture)" ]; then
  emulated=yes
  apt-get install -qq -y --no-install-recommends qemu-user-static binfmt-support arch-test >/dev/null || left_out 'qemu cannot be installed here.'
fi

place=$(mktemp -d)
started=()
cleanup() {
  for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  [ -z "${container:-}" ] || buildah rm "$container" >/dev/null
  rm -rf "$place"
}
trap cleanup EXIT
node=node_modules/.bin/node

# A stand-in for the base that a registry would give: Debian's glibc and the Node that comes from npm.
base=localhost/kedge-test-base-$arch:24
if ! buildah inspect "$base" >/dev/null 2>&1; then
  # Emulated, what packages do when they are installed would take half an hour; Node wants no more of them than libraries.
  variant=${emulated:+extract}
  mmdebstrap --quiet --variant="${variant:-minbase}" --architectures="$arch" --include=libc6,libstdc++6,ca-certificates bookworm "$place/base.tar" || left_out 'no Debian can be made here.'
  binary=$(realpath "$node")
  if [ -n "$emulated" ]; then
    npm pack --silent --pack-destination "$place" "node-linux-$arch@$("$node" -p process.versions.node)" >/dev/null
    tar -xzf "$place"/node-linux-*.tgz -C "$place"
    binary=$place/package/bin/node
  fi
  made=$(buildah from --arch "$arch" scratch)
  buildah add --quiet "$made" "$place/base.tar" / >/dev/null
  buildah copy --quiet "$made" "$binary" /usr/local/bin/node >/dev/null
  buildah config --env PATH=/usr/local/bin:/usr/bin:/bin "$made"
  buildah commit --quiet "$made" "$base" >/dev/null
  buildah rm "$made" >/dev/null
fi
BASE_IMAGE=$base CONTAINER_ENGINE=buildah ENGINE_OPTIONS="--isolation chroot --pull-never --arch $arch" bash manifests/image/build.sh localhost/kedge:test >"$place/build.log" 2>&1 || {
  cat "$place/build.log"
  exit 1
}

# Layers that the image adds to its base, as a registry would hold them.
buildah push --quiet localhost/kedge:test "oci:$place/oci" >/dev/null
"$node" tests/image-size.ts "$place/oci"

container=$(buildah from --pull-never --arch "$arch" localhost/kedge:test)
root=$(buildah mount "$container")
[ "$(buildah inspect --format '{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}' "$container")" = '10001:10001 [node /app/dist/kedge.js]' ]
buildah inspect --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$container" | sed '/^$/d' >"$place/environment"
grep -q '^HOME=/tmp$' "$place/environment"
mkdir -p "$place/bucket/linear/1" "$place/models" "$root"/{bucket,models,proc,tmp}
"$node" -e "import('./contract/onnx/testing/models.ts').then(({ linearModel }) => require('node:fs').writeFileSync('$place/bucket/linear/1/model.onnx', linearModel()))"
chown -R 10001:10001 "$place/models"
chmod 755 "$place"

# Usage: start NAME MODELS_MODE VARIABLES... -- ARGUMENTS...; sets `pid` to that of the program.
start() {
  local name=$1 mode=$2
  shift 2
  local variables=()
  while [ "$1" != -- ]; do variables+=("$1"); shift; done
  shift
  R=$root PLACE=$place MODE=$mode unshare --mount --pid --ipc --fork --kill-child --propagation private bash -c '
    set -e
    mount --bind "$R" "$R"
    mount -o remount,bind,ro "$R"
    mount -t proc proc "$R/proc"
    mount -t tmpfs -o size=64m,mode=1777 tmpfs "$R/tmp"
    mount --bind "$PLACE/bucket" "$R/bucket"
    mount --bind "$PLACE/models" "$R/models"
    mount -o "remount,bind,$MODE" "$R/models"
    # The environment of the image; and chroot, which is of this machine.
    mapfile -t own <"$PLACE/environment"
    exec env -i "${own[@]}" "${@:1:$0}" /usr/bin/setpriv --no-new-privs /usr/sbin/chroot --userspec=10001:10001 "$R" node /app/dist/kedge.js "${@:$0+1}"
  ' "${#variables[@]}" "${variables[@]}" "$@" >"$place/$name.log" 2>&1 &
  local outer=$!
  started+=("$outer")
  for _ in $(seq 100); do
    pid=$(pgrep -P "$outer" || true)
    [ -z "$pid" ] || break
    sleep 0.1
  done
  [ -n "$pid" ] || { cat "$place/$name.log"; exit 1; }
  declare -g "${name}_outer=$outer" "${name}_pid=$pid"
}

await() {
  for _ in $(seq "${emulated:+3}300"); do
    if curl -fs -m 2 "$1" >/dev/null; then return; fi
    sleep 0.2
  done
  echo "$1 never answered"
  cat "$place"/*.log
  exit 1
}

start loader rw KEDGE_BUCKET=file:///bucket KEDGE_VOLUME=/models KEDGE_LOADER_PORT=18082 KEDGE_LIST_SECONDS=1 -- load
await http://127.0.0.1:18082/startupz
start server ro KEDGE_VOLUME=/models KEDGE_PORT=18080 KEDGE_ADMIN_PORT=18081 KEDGE_DRAIN_SECONDS=1 KEDGE_ESTIMATORS=/app/dist/examples -- serve
await http://127.0.0.1:18081/v2/health/ready
answer=$(curl -fs http://127.0.0.1:18080/v2/models/linear/infer -H 'content-type: application/json' \
  -d '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}')
echo "A prediction: $answer"
grep -q '"data":\[' <<<"$answer"
if [ -n "$emulated" ]; then
  echo "The image of $arch loads, probes and predicts, emulated. What depends on time is tried without emulation only."
  exit 0
fi
# To their last line, which the bundle imports late.
curl -fs http://127.0.0.1:18081/metrics | grep '^process_cpu_seconds_total ' >/dev/null
curl -fs http://127.0.0.1:18082/metrics | grep '^kedge_loader_bucket_reachable 1' >/dev/null
[ "$(awk '/^Uid:/ {print $2}' "/proc/$server_pid/status")" = 10001 ]
[ "$(awk '/^NSpid:/ {print $NF}' "/proc/$server_pid/status")" = 1 ]
[ "$(awk '/^CapEff:/ {print $2}' "/proc/$server_pid/status")" = 0000000000000000 ]
# As the server sees it.
if nsenter --target "$server_pid" --mount touch "$root/app/x" 2>/dev/null; then echo 'the root file system can be written'; exit 1; fi

kill -TERM "$server_pid"
# It answers on while it drains.
curl -fs http://127.0.0.1:18080/v2/models/linear/infer -H 'content-type: application/json' \
  -d '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}' >/dev/null
[ "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:18080/v2/health/ready)" = 503 ]
code=0
wait "$server_outer" || code=$?
[ "$code" = 0 ] || { echo "the server left with $code"; cat "$place/server.log"; exit 1; }
kill -TERM "$loader_pid"
wait "$loader_outer" || code=$?
[ "$code" = 0 ] || { echo "the loader left with $code"; cat "$place/loader.log"; exit 1; }
echo 'The image serves as user 10001 on a read-only root, answers while it drains, and both programs leave with 0.'

R=$root unshare --mount --propagation private bash -c 'mount -t proc proc "$R/proc"; exec "$@"' bash "$node" tests/first-day.ts "$root" "$place/environment"

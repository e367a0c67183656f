#!/bin/sh
# Installs what checks the manifests into the cache folder: kustomize, kubeconform and kube-score by Go (1.26 or newer; the first time takes some
# minutes), promtool from Debian's package, of which nothing is started. Does nothing for what is already there.
set -eu

dir="${XDG_CACHE_HOME:-$HOME/.cache}/kedge/manifest-tools"
mkdir -p "$dir"

# By rename, so that a run that is broken off leaves nothing that looks installed.
go_tool() {
  name=$1
  module=$2
  version=$3
  if [ -x "$dir/$name-$version" ]; then return; fi
  command -v go >/dev/null 2>&1 || {
    echo "install-manifest-tools: Go is not installed. Install Go 1.26 or newer, from https://go.dev/dl or your system." >&2
    exit 1
  }
  build=$(mktemp -d "$dir/build.XXXXXX")
  GOBIN="$build" CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' "$module@v$version"
  mv "$build/$name" "$dir/$name-$version"
  rmdir "$build"
  ln -sfn "$name-$version" "$dir/$name"
  echo "$name $version installed"
}

go_tool kustomize sigs.k8s.io/kustomize/kustomize/v5 5.8.1
go_tool kubeconform github.com/yannh/kubeconform/cmd/kubeconform 0.8.0
go_tool kube-score github.com/zegl/kube-score/cmd/kube-score 1.20.0

if [ ! -x "$dir/promtool" ]; then
  if command -v promtool >/dev/null 2>&1; then
    ln -sfn "$(command -v promtool)" "$dir/promtool"
  else
    build=$(mktemp -d "$dir/build.XXXXXX")
    # Written by another user where apt gives its rights up.
    chmod 777 "$build"
    (cd "$build" && { apt-get download prometheus >/dev/null 2>&1 || { apt-get update >/dev/null && apt-get download prometheus; }; } && dpkg -x prometheus_*.deb .)
    mv "$build/usr/bin/promtool" "$dir/promtool"
    rm -rf "$build"
  fi
  echo "promtool installed"
fi
echo "The tools are there: $dir"

#!/bin/sh
# Builds the control plane that `npm run test:cluster` runs, into the cache folder: kube-controller-manager, kube-apiserver, kubectl and etcd, from their
# Go modules (Go 1.26 or newer). About 22 minutes of CPU the first time, at low priority; does nothing for what is already there.
set -eu

version=1.37.2
etcd_version=3.7.0
dir="${XDG_CACHE_HOME:-$HOME/.cache}/kedge/control-plane"
mkdir -p "$dir"

command -v go >/dev/null 2>&1 || {
  echo "tests/cluster/install.sh: Go is not installed. Install Go 1.26 or newer, from https://go.dev/dl or your system." >&2
  exit 1
}

# k8s.io/kubernetes cannot be installed by `go install`, because its go.mod replaces its parts by folders of its own tree. A module around it that
# replaces them by their releases builds the same programs.
module="$dir/module-$version"
if [ ! -f "$module/go.mod" ]; then
  making=$(mktemp -d "$dir/module.XXXXXX")
  kubernetes=$(cd "$making" && go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/^.*"GoMod": "\(.*\)".*$/\1/p')
  {
    printf 'module kedge/controlplane\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v%s\n\tgo.etcd.io/etcd/server/v3 v%s\n)\n\nreplace (\n' "$version" "$etcd_version"
    awk -v part="v0.${version#1.}" '$2 == "=>" && $3 ~ /^\.\/staging\// { printf "\t%s => %s %s\n", $1, $1, part }' "$kubernetes"
    printf ')\n'
  } >"$making/go.mod"
  mv "$making" "$module"
fi

# By rename, so that a run that is broken off leaves nothing that looks built.
build() {
  name=$1
  package=$2
  of=$3
  if [ ! -x "$dir/$name-$of" ]; then
    printf '%s %s: building\n' "$name" "$of"
    set_version="-X k8s.io/component-base/version.gitVersion=v$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37"
    (cd "$module" && CGO_ENABLED=0 nice -n 5 go build -mod=mod -ldflags "-s -w $set_version" -o "$dir/$name.part" "$package")
    mv "$dir/$name.part" "$dir/$name-$of"
  fi
  ln -sfn "$name-$of" "$dir/$name"
}

build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver "$version"
build kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager "$version"
build etcd go.etcd.io/etcd/server/v3 "$etcd_version"
build kubectl k8s.io/kubernetes/cmd/kubectl "$version"
echo "The control plane is there: $dir"

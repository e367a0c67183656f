#!/usr/bin/env bash
# Becomes the program of a container: in mounts of its own, under a root of its own, as its user, without capabilities or new privileges. The process
# stays the same from the first line to the program, so that whoever started this signals the program. What is called a node here runs it
# within the network namespace of the pod.
#
#   sandbox.sh ROOT READONLY UID GID GROUPS WORKDIR SOURCE:TARGET:MODE… -- PROGRAM WORDS…
#
# ROOT: an empty folder. READONLY: true or false, of the root. MODE: ro or rw.
set -euo pipefail
root=$1 readonly=$2 uid=$3 gid=$4 groups=$5 workdir=$6
shift 6
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir -p "$root"/{usr,proc,dev,etc,tmp,var}
# Libraries and tools of this machine, in place of those of an image.
mount --bind /usr "$root/usr"
mount -o remount,bind,ro "$root/usr"
for link in bin sbin lib lib64; do ln -s "usr/$link" "$root/$link"; done
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
chmod 1777 "$root/tmp"
while [ "$1" != -- ]; do
  IFS=: read -r source target mode <<<"$1"
  if [ -d "$source" ]; then mkdir -p "$root$target"; else mkdir -p "$(dirname "$root$target")" && touch "$root$target"; fi
  mount --bind "$source" "$root$target"
  mount -o "remount,bind,$mode" "$root$target"
  shift
done
shift
if [ "$readonly" = true ]; then mount -o remount,ro "$root"; fi
exec /usr/bin/setpriv --no-new-privs /usr/sbin/chroot --userspec="$uid:$gid" --groups="$groups" "$root" /usr/bin/env -C "$workdir" -- "$@"

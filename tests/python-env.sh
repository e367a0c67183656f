#!/usr/bin/env bash
# Installs what a file of requirements names into a virtual environment in the cache folder, and prints the Python that has it.
# Does nothing where it is already there. Needs Python 3.11 or 3.12 with venv; the first time takes about a minute.
# With --there it installs nothing, and fails where it is not there.
# Usage: python-env.sh [--there] NAME REQUIREMENTS
set -euo pipefail
there=
if [ "$1" = --there ]; then
  there=1
  shift
fi
name=$1
requirements=$2

hash=$(sha256sum <"$requirements" | cut -c1-12)
dir="${XDG_CACHE_HOME:-$HOME/.cache}/kedge/$name-$hash"
if [ -x "$dir/bin/python" ] && [ -e "$dir/installed" ]; then
  echo "$dir/bin/python"
  exit 0
fi
[ -z "$there" ] || exit 1

python=
for candidate in "${KEDGE_TEST_PYTHON:-python3}" python3.12 python3.11; do
  if "$candidate" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "python-env: $name needs Python 3.11 or 3.12 with venv; name one with KEDGE_TEST_PYTHON." >&2
  exit 1
fi

rm -rf "$dir"
"$python" -m venv "$dir" >&2
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --requirement "$requirements" >&2
# Last, so that a run that is broken off leaves nothing that looks installed.
touch "$dir/installed"
echo "$dir/bin/python"

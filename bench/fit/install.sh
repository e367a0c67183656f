#!/usr/bin/env bash
# Installs the peers of requirements.txt into the cache folder, and prints the Python that has them.
# Does nothing where they are already there. Needs Python 3.11 or 3.12 with venv.
set -euo pipefail
cd "$(dirname "$0")"

hash=$(sha256sum requirements.txt | cut -c1-12)
dir="${XDG_CACHE_HOME:-$HOME/.cache}/kedge/fit-peers-$hash"
if [ -x "$dir/bin/python" ] && [ -e "$dir/installed" ]; then
  echo "$dir/bin/python"
  exit 0
fi

python=
for candidate in "${KEDGE_TEST_PYTHON:-python3}" python3.12 python3.11; do
  if "$candidate" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo 'install: the peers need Python 3.11 or 3.12 with venv; name one with KEDGE_TEST_PYTHON.' >&2
  exit 1
fi

rm -rf "$dir"
"$python" -m venv "$dir" >&2
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --requirement requirements.txt >&2
# Last, so that a run that is broken off leaves nothing that looks installed.
touch "$dir/installed"
echo "$dir/bin/python"

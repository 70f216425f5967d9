#!/usr/bin/env bash
# Whether `make setup` has been done to its end, with a sentence where it has not. Changes nothing. is_ready.sh TARGET
here=$(cd "$(dirname "$0")/.." && pwd)
if [ -s "$here/.venv/.requirements" ] && "$here/.venv/bin/python" -B -c '' 2> /dev/null; then exit 0; fi
echo "$1: the installation in $here is not ready. Run 'make setup' there (whoever may write that folder), to its end; nothing was started." >&2
exit 4

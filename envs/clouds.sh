#!/usr/bin/env bash
# .venv-clouds: .venv with envs/clouds.txt beside it. Apart, because Snakemake loads every executor that it finds, at
# each start: all three cost a second.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=$(cat envs/clouds.txt envs/requirements.txt | sha256sum | cut -d' ' -f1)
[ "$(cat .venv-clouds/.requirements 2>/dev/null)" != "$wanted" ] || exit 0
rm -rf .venv-clouds
.venv/bin/python -m venv .venv-clouds
site=$(.venv-clouds/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$site/venv.pth"
echo "$PWD/scripts" >> "$site/venv.pth"
.venv-clouds/bin/python -m pip install --quiet -r envs/clouds.txt
echo "$wanted" > .venv-clouds/.requirements

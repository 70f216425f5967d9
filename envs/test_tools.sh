#!/usr/bin/env bash
# What `make test` uses beside the tools of a run: a SLURM cluster with accounting, and a browser that opens the report.
# Installed as root where apt-get works; elsewhere the tests that miss them are skipped and say so.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=()
while IFS=$'\t' read -r command package; do
    case "$command" in '#'*) continue ;; esac
    command -v "$command" > /dev/null || packages+=("$package")
done < envs/debian_tests.txt
if [ ${#packages[@]} = 0 ] || [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then exit 0; fi

echo "setup: installing ${packages[*]} with apt-get, for tests"
if ! { apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" > /dev/null; }; then
    echo "setup: that failed; the tests that need them are skipped"
fi

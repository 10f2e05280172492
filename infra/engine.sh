#!/usr/bin/env bash
# Makes sure that a Docker engine with Compose answers and that the base images are there.
# Exit 3: there is none and none can be brought up here.
set -euo pipefail
cd "$(dirname "$0")/.."
offline=../shared/offline-images/up.sh

engine_answers() { docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }

# Where no image registry can be reached, the workshop's script makes engine and base images from Debian's packages.
if [ -f "$offline" ] && [ "$(id -u)" = 0 ]; then
  bash "$offline"
elif ! engine_answers; then
  echo "NO DOCKER ENGINE: install Docker with Compose v2 (docker compose version must answer), then try again." >&2
  exit 3
fi

#!/usr/bin/env bash
# Prepares this machine; does nothing where all is in place, and says what to do where it cannot.
#
#   infra/setup.sh run    what `make up` needs: ffmpeg, redis-server, .venv with the run-time lock, translations, the pages' libraries
#   infra/setup.sh dev    that, and what the checks and tests need: Chromium, fonts, RabbitMQ, nginx, MinIO, the development lock
set -euo pipefail
cd "$(dirname "$0")/.."
# Started as root, Rungs runs as a system user, who has to read what is made here.
umask 022

mode=${1:?run or dev}
python=${PYTHON:-python3}
venv=.venv
MINIO=github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c   # last state of the archived repository (docs/design.md#running)
MINIO_FOLDER=$HOME/.cache/rungs

say() { printf 'setup: %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

# A program to look for, and the Debian package that brings it.
programs="ffmpeg:ffmpeg ffprobe:ffmpeg redis-server:redis-server setpriv:util-linux"
if [ "$mode" = dev ]; then programs+=" chromium:chromium chromedriver:chromium-driver"; fi

need_linux() {
  [ "$(uname -s)" = Linux ] && return 0
  say "ffmpeg is fenced in by the kernel of Linux (Landlock, seccomp), so 'make up' needs Linux; this is $(uname -s)."
  say "Install Docker instead (on macOS: Docker Desktop, or 'brew install colima docker docker-compose'), then:"
  say "  docker compose up --build"
  exit 1
}

need_python() {
  if ! have "$python"; then
    say "Python 3.11 or newer is needed and '$python' was not found. On Debian and Ubuntu:"
    say "  sudo apt-get update && sudo apt-get install python3 python3-venv"
    exit 1
  fi
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "Python 3.11 or newer is needed; '$python' is $("$python" -V 2>&1)."
    say "Install a newer one (Debian 12 and Ubuntu 24.04 bring it) and name it: make up PYTHON=/path/to/python3"
    exit 1
  }
}

missing_packages() {
  local entry
  for entry in $programs; do
    have "${entry%%:*}" || echo "${entry#*:}"
  done
  # Debian splits the standard library: the venv module is in a package of its own.
  if ! venv_works && ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then echo python3-venv; fi
  # Without a Korean font the browser tests would look at empty boxes.
  if [ "$mode" = dev ] && [ -z "$(fc-list :lang=ko family 2>/dev/null)" ]; then echo fonts-noto-cjk; fi
  if [ "$mode" = dev ] && ! have_server rabbitmq-server; then echo rabbitmq-server; fi
  if [ "$mode" = dev ] && ! have_server nginx; then echo nginx-light; fi
}

# Debian's rabbitmq-server and nginx lie where only root's PATH leads.
have_server() { PATH=$PATH:/usr/sbin have "$1"; }

venv_works() { "$venv/bin/python" -c '' 2>/dev/null; }

# Debian starts a server it installs. Rungs and its tests run their own, so the packaged ones are neither started nor
# enabled.
install_packages() {
  local policy=/usr/sbin/policy-rc.d server new=""
  for server in redis-server rabbitmq-server nginx; do
    have_server $server || new+=" $server"
  done
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  say "installing from Debian: $*"
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
  for server in $new; do
    have_server "$server" || continue
    if [ -d /run/systemd/system ]; then systemctl disable --quiet "$server.service"; fi
    say "Debian's own $server service is left stopped: Rungs starts its own on a free port."
  done
}

system_packages() {
  local packages
  packages=$(missing_packages | sort -u | tr '\n' ' ')
  [ -n "$packages" ] || return 0
  if ! have apt-get; then
    say "missing (names of Debian's packages): $packages"
    say "install them with this system's package manager, then try again."
    exit 1
  elif [ "$(id -u)" != 0 ]; then
    say "missing: $packages"
    say "installing them needs root; run this, then try again:"
    say "  sudo apt-get update && sudo apt-get install --no-install-recommends $packages"
    exit 1
  fi
  # shellcheck disable=SC2086 (a list of package names)
  install_packages $packages
}

python_packages() {
  local lock=infra/requirements/$mode.txt stamp=$venv/rungs-$mode.stamp state
  venv_works || "$python" -m venv --clear "$venv"
  state="$(cksum <"$lock") $("$venv/bin/python" -V)"
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$state" ]; then return 0; fi
  say "installing Python packages into $venv"
  "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
  printf '%s\n' "$state" >"$stamp"
}

translations() {
  local po
  for po in web/translations/*/LC_MESSAGES/*.po; do
    if [ "$po" -nt "${po%.po}.mo" ]; then
      say "compiling translations"
      "$venv/bin/pybabel" -q compile -d web/translations
      return
    fi
  done
}

# Copied where the web service finds them: node_modules is npm's, and holds far more than a page loads.
page_libraries() {
  local vendor=web/static/vendor stamp=web/static/vendor/package-lock.json
  if cmp -s package-lock.json "$stamp" && ls "$vendor"/{hls.min.mjs,tus.min.js,uPlot.iife.min.js,uPlot.min.css} >/dev/null 2>&1; then
    return 0
  fi
  say "fetching the pages' libraries"
  if have npm; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
  else
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r infra/requirements/node.txt
    PATH="$PWD/$venv/bin:$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
  fi
  mkdir -p "$vendor"
  cp node_modules/{hls.js/dist/hls.min.mjs,tus-js-client/dist/tus.min.js} node_modules/uplot/dist/uPlot.{iife.min.js,min.css} "$vendor/"
  cp package-lock.json "$stamp"
}

minio() {
  local go
  [ -x "$MINIO_FOLDER/minio" ] && return 0
  go=$(command -v go || echo /usr/local/go/bin/go)
  if [ ! -x "$go" ]; then
    say "NO GO TOOLCHAIN: MinIO is not built, so the tests against a real MinIO are skipped (they fail where CI=true)."
    return 0
  fi
  say "building MinIO once into $MINIO_FOLDER (about 5 minutes on 2 cores)"
  mkdir -p "$MINIO_FOLDER"
  # Built beside its place and moved there whole, so that an interrupted build is never taken for a server.
  local building
  building=$(mktemp -d "$MINIO_FOLDER/building.XXXXXX")
  GOBIN=$building CGO_ENABLED=0 "$go" install -trimpath -ldflags="-s -w" "$MINIO"
  mv "$building/minio" "$MINIO_FOLDER/minio"
  rmdir "$building"
}

need_linux
need_python
system_packages
python_packages
translations
page_libraries
if [ "$mode" = dev ]; then minio; fi

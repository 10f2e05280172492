#!/usr/bin/env bash
# Debian 13's ffmpeg 7.1 beside the one that is installed: a folder with its programs, its libraries and their loader.
#
#   infra/ffmpeg7.sh                  makes the folder where it is missing, and says which version it holds
#   infra/ffmpeg7.sh COMMAND ...      that, and runs the command with this ffmpeg and ffprobe first on PATH
#
# Nothing is installed and root is not needed: apt resolves and checks the packages as for a machine that has none yet.
# FFMPEG7_FOLDER says where it lies; DEBIAN_MIRROR is for machines whose apt knows no Debian.
set -euo pipefail

RELEASE=trixie
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
folder=${FFMPEG7_FOLDER:-$HOME/.cache/rungs/ffmpeg-$RELEASE}

say() { printf 'ffmpeg7: %s\n' "$*" >&2; }
stop() { say "$@"; exit 1; }

# The first place from which this machine has packages with the label: Debian or Debian-Security.
mirror() {
  apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
    | awk -v label="$1" '$1 == label && !found { print $2; found = 1 }'
}

sources() {
  local main security
  main=${DEBIAN_MIRROR:-$(mirror Debian)}
  security=$(mirror Debian-Security)
  [ -n "$main" ] || stop "apt knows no mirror of Debian: run 'apt-get update', or name a mirror as DEBIAN_MIRROR."
  printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$main" "$RELEASE"
  if [ -n "$security" ]; then printf 'deb [signed-by=%s] %s %s-security main\n' "$KEYRING" "$security" "$RELEASE"; fi
}

# apt with lists, archives and a set of installed packages of its own; the machine's proxies count here too.
own_apt() {
  apt-get -qq -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o Dir::Etc::sourceparts=- \
    -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::State::lists="$work/lists" \
    -o Dir::State::status="$work/status" -o Dir::State::extended_states="$work/extended" \
    -o Dir::Cache="$work/cache" -o Dir::Log="$work" "$@"
}

# A program that sees the machine's own files: only its loader and libraries are Debian 13's.
wrapper() {
  local loader libraries
  loader=$(cd "$work/root" && find usr/lib* -name 'ld-linux*.so*' -print -quit)
  # All folders with libraries: Debian keeps some apart, and links them only when it installs them.
  libraries=$(cd "$work/root" && find usr/lib -name 'lib*.so*' -printf "$folder/root/%h\n" | sort -u | paste -sd :)
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' \
    "$folder/root/$loader" "$libraries" "$folder/root/usr/bin/$1"
}

make_folder() {
  local archive program
  command -v apt-get >/dev/null || stop "this needs apt; the same ffmpeg is in the containers ('make compose-test')."
  [ -e "$KEYRING" ] || stop "Debian's keys are missing: sudo apt-get install debian-archive-keyring"
  say "fetching ffmpeg of Debian $RELEASE and its libraries into $folder (about 150 MB)"
  mkdir -p "$(dirname "$folder")"
  # Made beside its place and moved there whole, so that what was interrupted is never taken for an ffmpeg.
  work=$(mktemp -d "$(dirname "$folder")/making.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/{lists/partial,cache/archives/partial,root,bin}
  : >"$work/status"
  sources >"$work/sources.list"
  own_apt update
  own_apt install -y --no-install-recommends --download-only ffmpeg >/dev/null
  for archive in "$work"/cache/archives/*.deb; do dpkg-deb -x "$archive" "$work/root"; done
  for program in ffmpeg ffprobe; do
    wrapper "$program" >"$work/bin/$program"
    chmod 755 "$work/bin/$program"
  done
  rm -rf "$work"/{lists,cache,status,sources.list,extended} "$work/root/usr/share"
  chmod 755 "$work"
  rm -rf "$folder"
  mv "$work" "$folder"
  trap - EXIT
}

works() { "$folder/bin/ffmpeg" -hide_banner -version >/dev/null 2>&1 && "$folder/bin/ffprobe" -version >/dev/null 2>&1; }

if ! works; then make_folder; fi
works || stop "the ffmpeg in $folder does not run: $("$folder/bin/ffmpeg" -version 2>&1 | head -n 1)"
version=$("$folder/bin/ffmpeg" -version | sed -n '1s/ Copyright.*//p')
say "******** $version ********"
[[ $version == "ffmpeg version 7.1"* ]] || stop "this is not ffmpeg 7.1: remove $folder, then try again."
[ $# -gt 0 ] || exit 0
# The wrappers are scripts, and what they start lies in the folder: the sandbox has to be told of both.
PATH="$folder/bin:$PATH" TOOL_FOLDERS="$folder:/bin/sh" "$@" || { code=$?; say "failed with $version"; exit "$code"; }
say "all of this ran with $version"

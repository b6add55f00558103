#!/usr/bin/env bash
# Fetches the released programs for this machine and checks them. Where there is no
# release to fetch it says so, and the next step builds from source. A release that
# is there and is not what it should be ends the run: nothing is built in its place.
#
# What protects what: the list SHA256SUMS is fetched from where the archive is, so it
# finds a broken download, and no more. INPUT_SHA256 is the caller's own, in a file
# that is reviewed, so it finds an archive that somebody put in place of the first.
# "source" takes the code of the very commit that the caller pins, and modules that
# go.sum in it pins.
set -euo pipefail

fail() { echo "::error title=dpg-registry::$1"; exit 1; }

version=${INPUT_VERSION:-${DPG_VERSION:-$(cat "$GITHUB_ACTION_PATH/internal/action/VERSION")}}
releases=${INPUT_RELEASES:-${DPG_RELEASES:-https://github.com/dpg-registry/dpg-registry/releases/download}}
bin=${RUNNER_TEMP:?}/dpg-registry
mkdir -p "$bin"
echo "bin=$bin" >>"$GITHUB_OUTPUT"

from_source() {
	echo "$1"
	command -v go >/dev/null || echo "Go is set up for that"
	echo "source=true" >>"$GITHUB_OUTPUT"
	exit 0
}

case $version in
source | *-dev) from_source "building from source: version is $version" ;;
v[0-9]*) ;;
*) fail "version is not a release such as v1.2.3, nor source" ;;
esac
case $version in *[!A-Za-z0-9.+-]*) fail "version holds characters that no release has" ;; esac

ext=
case ${RUNNER_OS:-$(uname -s)} in
Linux) os=linux ;;
macOS | Darwin) os=darwin ;;
Windows | MINGW* | MSYS*) os=windows ext=.exe ;;
*) from_source "building from source: no release is made for this system" ;;
esac
case ${RUNNER_ARCH:-$(uname -m)} in
X64 | x86_64 | amd64) arch=amd64 ;;
ARM64 | aarch64 | arm64) arch=arm64 ;;
*) from_source "building from source: no release is made for this processor" ;;
esac

archive=dpg-registry_${version}_${os}_$arch.tar.gz
fetch() { curl --fail --silent --show-error --location --proto-redir =https --retry 3 --max-time 300 --output "$2" "$releases/$version/$1"; }
fetch "$archive" "$bin/$archive" || from_source "building from source: release $version cannot be fetched"

want=${INPUT_SHA256:-}
if [ -z "$want" ]; then
	fetch SHA256SUMS "$bin/SHA256SUMS" || fail "release $version has no SHA256SUMS"
	want=$(awk -v name="$archive" '$2 == name { print $1 }' "$bin/SHA256SUMS")
	[ -n "$want" ] || fail "SHA256SUMS of release $version does not list $archive"
fi
if command -v sha256sum >/dev/null; then got=$(sha256sum <"$bin/$archive"); else got=$(shasum -a 256 <"$bin/$archive"); fi
got=${got%% *}
[ "$got" = "$want" ] || fail "$archive has the SHA-256 $got, not the one that is expected"
# On Windows the folder's name begins with a drive, which tar takes for another machine.
(cd "$bin" && tar -xzf "$archive" "dpg$ext" "dpgbot$ext" && rm "$archive")
echo "release $version, SHA-256 $got"

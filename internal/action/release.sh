#!/bin/sh
# Builds what a release holds: release.sh VERSION DIR. TARGETS names other systems than
# all of them, as OS/ARCH.
set -eu
cd "$(dirname "$0")/../.."
version=$1 dist=$2
[ "$version" = "$(cat internal/action/VERSION)" ] || {
	echo "the tag is $version and internal/action/VERSION says $(cat internal/action/VERSION); the Action of this commit would fetch the wrong release" >&2
	exit 1
}
mkdir -p "$dist"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for target in ${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}; do
	os=${target%/*} arch=${target#*/}
	mkdir "$work/$os-$arch"
	echo "building for $os on $arch"
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags="-s -w" -o "$work/$os-$arch/" ./cmd/dpg ./cmd/dpgbot
	cp LICENSE NOTICE "$work/$os-$arch/"
	exe=
	[ "$os" != windows ] || exe=.exe
	tar -czf "$dist/dpg-registry_${version}_${os}_$arch.tar.gz" -C "$work/$os-$arch" "dpg$exe" "dpgbot$exe" LICENSE NOTICE
done
go build -trimpath -o "$work/dpg" ./cmd/dpg
"$work/dpg" init "$work/registry-template" --name "My registry" \
	--action "dpg-registry/dpg-registry@$(git rev-parse HEAD) # $version" >/dev/null
zip=$(cd "$dist" && pwd)/registry-template.zip
rm -f "$zip"
(cd "$work/registry-template" && zip -qr "$zip" .)
cd "$dist"
if command -v sha256sum >/dev/null; then sha256sum -- *.tar.gz *.zip >SHA256SUMS; else shasum -a 256 -- *.tar.gz *.zip >SHA256SUMS; fi
cat SHA256SUMS

#!/bin/sh
# Fetches the Docker engine and HAProxy of another Debian release, so that the tests can be run with them:
#
#   sh scripts/engine-of.sh trixie /var/tmp/trixie
#   PATH=/var/tmp/trixie/bin:$PATH node test/network/matrix.test.ts
#
# Needs root, debootstrap and patchelf. The programs run with the libraries of their own release.
set -eu

release=${1:-}
folder=${2:-}
if [ -z "$release" ] || [ "${folder#/}" = "$folder" ]; then
  echo 'usage: sh scripts/engine-of.sh RELEASE FOLDER, such as: trixie /var/tmp/trixie' >&2
  exit 2
fi
for program in debootstrap patchelf; do
  if ! command -v "$program" >/dev/null; then
    echo "error: engine-of: $program is not installed; run apt-get install $program" >&2
    exit 1
  fi
done
if [ -e "$folder" ]; then
  echo "error: engine-of: $folder is there already; name another folder, or remove it" >&2
  exit 1
fi

system=$folder/system
bin=$folder/bin
mkdir -p "$bin"
echo "$release …"
if ! debootstrap --variant=minbase --include=docker.io,haproxy "$release" "$system" >"$folder/log" 2>&1; then
  tail -n 20 "$folder/log" >&2
  echo "error: engine-of: $release could not be fetched: see above, and $folder/log" >&2
  exit 1
fi

library=$system/usr/lib/$(uname -m)-linux-gnu
loader=$(find "$system/usr/lib64" "$system/usr/lib" -maxdepth 1 -name 'ld-linux-*' 2>/dev/null | head -n 1)
for program in dockerd docker-proxy docker-init containerd containerd-shim-runc-v2 runc haproxy; do
  path=$(find "$system/usr/bin" "$system/usr/sbin" "$system/usr/libexec/docker" -name "$program" 2>/dev/null | head -n 1)
  if [ -z "$path" ]; then continue; fi
  cp -L "$path" "$bin/$program"
  # What is linked statically needs nobody's libraries.
  if patchelf --print-interpreter "$bin/$program" >/dev/null 2>&1; then
    patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$library" "$bin/$program"
  fi
done
"$bin/dockerd" --version
"$bin/haproxy" -v | head -n 1

#!/bin/sh
# Installs the runtime and the dependencies and builds, each only when its inputs changed.
# --engine also makes sure of a Docker engine and of what tests on real engines need.
# Exit codes: 0 ready, 1 failed, 2 usage, 3 ready except for the engine, 4 not built.
set -eu

wantEngine=false
for argument in "$@"; do
  case $argument in
    --engine) wantEngine=true ;;
    *)
      echo "error: setup: unknown option $argument; use --engine or none" >&2
      exit 2
      ;;
  esac
done

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
node=node_modules/node-runtime/bin/node
installStamp=node_modules/.bulkhead-install
buildStamp=dist/.stamp
lock=node_modules/.bulkhead-lock
lockTimeoutS=900
stepTimeoutS=900
log=
locked=false

cleanUp() {
  if [ -n "$log" ]; then rm -f "$log"; fi
  if [ "$locked" = true ]; then rm -rf "$lock"; fi
}
trap cleanUp EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
  echo "error: $1" >&2
  exit "${2:-1}"
}

# Prints one hash of the contents and names of the files that are listed on standard input.
hashFiles() {
  if command -v sha256sum >/dev/null 2>&1; then
    LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
  else
    LC_ALL=C sort | tr '\n' '\0' | xargs -0 shasum -a 256 | shasum -a 256 | cut -d ' ' -f 1
  fi
}

installHash() {
  ls pnpm-lock.yaml pnpm-workspace.yaml package.json packages/*/package.json | hashFiles
}

buildHash() {
  {
    find packages/*/src scripts/build scripts/build.ts -type f
    ls pnpm-lock.yaml packages/*/package.json
  } | hashFiles
}

stampIs() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# Runs a command with a deadline, shows its output only when it fails, and reports the time it
# took. Arguments: label, exit code on failure, command.
step() {
  label=$1
  failureCode=$2
  shift 2
  echo "$label …"
  startedAt=$(date +%s)
  log=$(mktemp "${TMPDIR:-/tmp}/bulkhead-setup.XXXXXX")
  status=0
  if command -v timeout >/dev/null 2>&1; then
    timeout "$stepTimeoutS" "$@" </dev/null >"$log" 2>&1 || status=$?
  else
    "$@" </dev/null >"$log" 2>&1 || status=$?
  fi
  tookS=$(($(date +%s) - startedAt))
  if [ "$status" -ne 0 ]; then
    cat "$log" >&2
    rm -f "$log"
    log=
    if [ "$status" -eq 124 ]; then
      fail "setup: $label: not done after $stepTimeoutS s; see the output above" "$failureCode"
    fi
    fail "setup: $label: exit code $status; see the output above" "$failureCode"
  fi
  rm -f "$log"
  log=
  echo "$label: done in $tookS s"
}

# Two setups at once, say of npm start and npm test, must not write the same files.
takeLock() {
  if [ "$locked" = true ]; then return; fi
  mkdir -p node_modules
  waitedS=0
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/pid" 2>/dev/null || true)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
      rm -rf "$lock"
    elif [ "$waitedS" -ge "$lockTimeoutS" ]; then
      fail "setup: waited $lockTimeoutS s for another setup (process $owner); end it or remove $lock"
    else
      sleep 1
      waitedS=$((waitedS + 1))
    fi
  done
  locked=true
  echo $$ >"$lock/pid"
}

install() {
  if [ -x "$node" ] && stampIs "$installStamp" "$(installHash)"; then
    echo 'dependencies: up to date'
    return
  fi
  takeLock
  hash=$(installHash)
  if [ -x "$node" ] && stampIs "$installStamp" "$hash"; then
    echo 'dependencies: up to date'
    return
  fi
  command -v npx >/dev/null 2>&1 ||
    fail 'setup: npx not found: npm is needed to install; install Node.js with npm (20 or later)'
  # npm and pnpm keep their caches in the home directory; without one they get a private one.
  if [ -z "${HOME:-}" ] || [ ! -w "${HOME:-/}" ]; then
    HOME=$root/node_modules/.bulkhead-home
    mkdir -p "$HOME"
    export HOME
  fi
  # CI=true keeps pnpm from asking questions.
  step 'dependencies' 1 env CI=true npx -y pnpm@12 install --frozen-lockfile
  [ -x "$node" ] ||
    fail "setup: the runtime is missing: $node was not installed; remove node_modules and run again"
  settleRuntime
  echo "$hash" >"$installStamp"
}

# A file that was just written is in the page cache in pieces of up to 2 MiB, and each process that runs it is
# charged for whole pieces: 30 MB more than it uses, until the file is read from the disk anew. So let it be.
settleRuntime() {
  sync "$node" 2>/dev/null || return 0
  dd if="$node" iflag=nocache count=0 2>/dev/null || true
}

build() {
  hash=$(buildHash)
  if [ -f dist/bulkhead.mjs ] && stampIs "$buildStamp" "$hash"; then
    echo 'build: up to date'
    return
  fi
  takeLock
  hash=$(buildHash)
  if stampIs "$buildStamp" "$hash"; then
    echo 'build: up to date'
    return
  fi
  step 'build' 4 "$node" scripts/build.ts
  echo "$hash" >"$buildStamp"
}

missingPackages() {
  for pair in dockerd:docker.io iptables:iptables nft:nftables busybox:busybox-static \
    docker-registry:docker-registry tcpdump:tcpdump ip:iproute2 faketime:faketime mkfs.ext4:e2fsprogs \
    dig:dnsutils prometheus:prometheus; do
    if ! PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null 2>&1; then
      echo "${pair#*:}"
    fi
  done
}

engine() {
  missing=$(missingPackages | tr '\n' ' ')
  missing=${missing% }
  if [ -z "$missing" ]; then
    echo 'engine: up to date'
    return
  fi
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    step 'package lists' 3 apt-get -q -o DPkg::Lock::Timeout=300 update
    # shellcheck disable=SC2086 # A list of package names.
    step "engine ($missing)" 3 apt-get -q -y -o DPkg::Lock::Timeout=300 install \
      --no-install-recommends $missing
    return
  fi
  if [ "$(id -u)" -eq 0 ]; then
    why='this system has no apt-get'
  else
    why='only root can install packages'
  fi
  case " $missing " in
    *' docker.io '*)
      if [ ! -S /var/run/docker.sock ] && [ -z "${DOCKER_HOST:-}" ]; then
        fail "setup: no Docker engine: $why; install $missing" 3
      fi
      ;;
  esac
  echo "engine: there is one; tests on real engines also need $missing ($why)"
}

install
# A build must not be missing because an engine is.
engineStatus=0
if [ "$wantEngine" = true ]; then (engine) || engineStatus=$?; fi
build
exit "$engineStatus"

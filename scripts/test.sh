#!/bin/sh
# Checks types and style, then runs all tests. The last line is the sum of the results.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
PATH=$root/node_modules/.bin:$PATH
export PATH

# Tests on real engines skip themselves, with the reason, where there can be no engine. A build that
# fails is one failure among others.
failed=
setupStatus=0
sh scripts/setup.sh --engine || setupStatus=$?
case $setupStatus in
  0 | 3) ;;
  4) failed=build ;;
  *)
    echo '0 passed, 1 failed, 0 skipped'
    exit 1
    ;;
esac

results=$(mktemp -d "${TMPDIR:-/tmp}/bulkhead-test.XXXXXX")
trap 'rm -rf "$results"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The test runner generates code for its plugins into its own package. The stamp lies beside it,
# so that an installation which takes the one takes the other.
tapStamp=node_modules/tap/../@tapjs/test/test-built/.bulkhead
if ! cmp -s .taprc "$tapStamp"; then
  if ! tap build >"$results/tap-build" 2>&1 </dev/null; then
    cat "$results/tap-build" >&2
    echo 'error: test: tap build failed: see the output above; run npm run setup, then again' >&2
    echo '0 passed, 1 failed, 0 skipped'
    exit 1
  fi
  cp .taprc "$tapStamp"
fi

check() {
  label=$1
  shift
  startedAt=$(date +%s)
  if "$@" >"$results/check" 2>&1 </dev/null; then
    echo "$label: ok ($(($(date +%s) - startedAt)) s)"
  else
    cat "$results/check"
    failed=$failed${failed:+,}$label
  fi
}

# More files than this fail for a reason.
mostAgain=8

# Runs the test files that are listed, and keeps what they say. Arguments: jobs, seconds per file.
run() {
  : >"$output"
  # shellcheck disable=SC2046 # Names of test files have no spaces.
  {
    status=0
    tap --jobs="$1" --timeout="$2" --disable-coverage \
      --reporter=tap $(cat "$results/files") </dev/null || status=$?
    echo "$status" >"$results/status"
  } | tee "$output" | node scripts/test/report.ts
  status=$(cat "$results/status")
}

# Runs the test files below the given folders. Arguments: label, jobs, seconds per file, folders.
suite() {
  label=$1
  jobs=$2
  timeoutS=$3
  shift 3
  find "$@" -name node_modules -prune -o -type f -name '*.test.ts' -print 2>/dev/null |
    LC_ALL=C sort >"$results/files"
  if [ ! -s "$results/files" ]; then
    echo "$label: no test files"
    return
  fi
  output=$results/1-$label.tap
  run "$jobs" "$timeoutS"
  # Tests keep real time on a machine that others may use: what failed is run once more, by itself, and said so.
  sed -n 's/^not ok [0-9]* - \([^ ]*\.test\.ts\).*/\1/p' "$output" >"$results/again"
  failedFiles=$(wc -l <"$results/again")
  if [ "$status" -ne 0 ] && [ "$failedFiles" -gt 0 ] && [ "$failedFiles" -le "$mostAgain" ]; then
    echo "$label: $((failedFiles)) failed at the first attempt; they are run once more"
    mv "$results/again" "$results/files"
    output=$results/2-$label.tap
    run 1 "$timeoutS"
  fi
  if [ "$status" -ne 0 ] && ! grep -q '^ *not ok ' "$output"; then
    failed="$failed${failed:+,}$label tests (tap exited with $status)"
  fi
  if [ "$status" -ne 0 ]; then anyFailed=true; fi
}

anyFailed=false
check 'types' tsc
check 'lint' oxlint --type-aware --deny-warnings
suite unit 2 120 packages/*/test
suite engines 2 600 test

set --
for output in "$results"/*.tap; do
  if [ -f "$output" ]; then set -- "$@" "$output"; fi
done
BULKHEAD_TEST_FAILED=$failed node scripts/test/summary.ts "$@"
[ -z "$failed" ] && [ "$anyFailed" = false ]

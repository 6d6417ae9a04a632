#!/bin/sh
# Builds the plugin file {{name}}.wasm. EXOSPHERE_ALERTS may name the host's program.
set -eu
cd "$(dirname "$0")"
alerts=${EXOSPHERE_ALERTS:-exosphere-alerts}
command -v "$alerts" >/dev/null || {
  echo "build.sh: $alerts is not on the path; set EXOSPHERE_ALERTS to where it is" >&2
  exit 1
}
command -v npm >/dev/null || {
  echo "build.sh: npm is not on the path; install Node.js 20 or newer" >&2
  exit 1
}
# npm writes this file last, so an install that was cut off is begun again.
[ -f node_modules/.package-lock.json ] || npm ci --no-audit --no-fund
mkdir -p build
npm run --silent build
"$alerts" plugin pack build/plugin.wasm --manifest plugin.toml --out {{name}}.wasm

#!/bin/sh
# Builds the plugin file {{name}}.wasm. CARGO and CARGO_FLAGS may name another
# Rust; EXOSPHERE_ALERTS the host's program.
set -eu
cd "$(dirname "$0")"
alerts=${EXOSPHERE_ALERTS:-exosphere-alerts}
command -v "$alerts" >/dev/null || {
  echo "build.sh: $alerts is not on the path; set EXOSPHERE_ALERTS to where it is" >&2
  exit 1
}
${CARGO:-cargo} build ${CARGO_FLAGS:-} --release --target wasm32-unknown-unknown --target-dir target
"$alerts" plugin pack \
  target/wasm32-unknown-unknown/release/{{module}}.wasm --manifest plugin.toml --out {{name}}.wasm

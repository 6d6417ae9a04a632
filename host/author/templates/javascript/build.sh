#!/bin/sh
# Builds the plugin file {{name}}.wasm. EXOSPHERE_ALERTS may name the host's program.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] || npm install --no-audit --no-fund
mkdir -p build
npm run --silent build
${EXOSPHERE_ALERTS:-exosphere-alerts} plugin pack build/plugin.wasm --manifest plugin.toml --out {{name}}.wasm

#!/bin/sh
# Builds the plugin file {{name}}.wasm. EXOSPHERE_ALERTS may name the host's
# program, COMPONENTIZE_PY an installed componentize-py.
set -eu
cd "$(dirname "$0")"
if [ -z "${COMPONENTIZE_PY:-}" ]; then
  [ -d .venv ] || { python3 -m venv .venv && .venv/bin/pip install --quiet --requirement requirements.txt; }
  COMPONENTIZE_PY=.venv/bin/componentize-py
fi
mkdir -p build
"$COMPONENTIZE_PY" --wit-path wit --world {{world}} componentize --stub-wasi app --output build/plugin.wasm
${EXOSPHERE_ALERTS:-exosphere-alerts} plugin pack build/plugin.wasm --manifest plugin.toml --out {{name}}.wasm

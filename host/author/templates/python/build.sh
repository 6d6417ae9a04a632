#!/bin/sh
# Builds the plugin file {{name}}.wasm. EXOSPHERE_ALERTS may name the host's
# program, PYTHON another Python, COMPONENTIZE_PY an installed componentize-py.
set -eu
cd "$(dirname "$0")"
alerts=${EXOSPHERE_ALERTS:-exosphere-alerts}
command -v "$alerts" >/dev/null || {
  echo "build.sh: $alerts is not on the path; set EXOSPHERE_ALERTS to where it is" >&2
  exit 1
}
if [ -z "${COMPONENTIZE_PY:-}" ]; then
  COMPONENTIZE_PY=.venv/bin/componentize-py
  # pip writes the program last, so an install that was cut off is begun again.
  if [ ! -x "$COMPONENTIZE_PY" ]; then
    "${PYTHON:-python3}" -m venv --clear .venv || {
      echo "build.sh: no virtual environment; install Python 3.10 or newer with venv (Debian: python3-venv)" >&2
      exit 1
    }
    .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
  fi
fi
mkdir -p build
"$COMPONENTIZE_PY" --quiet --wit-path wit --world {{world}} componentize --stub-wasi app --output build/plugin.wasm
"$alerts" plugin pack build/plugin.wasm --manifest plugin.toml --out {{name}}.wasm

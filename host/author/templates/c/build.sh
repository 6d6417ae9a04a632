#!/bin/sh
# Builds the plugin file {{name}}.wasm. CLANG and WIT_BINDGEN may name other
# programs; EXOSPHERE_ALERTS the host's.
set -eu
cd "$(dirname "$0")"
mkdir -p build gen
${WIT_BINDGEN:-wit-bindgen} c wit --world {{world}} --out-dir gen
# No operating system and no C library; all that the file exports, the bindings
# mark themselves.
${CLANG:-clang} --target=wasm32-unknown-unknown -std=c17 -ffreestanding -nostdlib -isystem libc -I gen -I . \
  -O2 -Wall -Wextra -Wl,--no-entry,--strip-debug \
  plugin.c libc/libc.c gen/{{world}}.c gen/{{world}}_component_type.o -o build/plugin.wasm
${EXOSPHERE_ALERTS:-exosphere-alerts} plugin pack build/plugin.wasm --manifest plugin.toml --out {{name}}.wasm

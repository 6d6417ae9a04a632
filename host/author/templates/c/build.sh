#!/bin/sh
# Builds the plugin file {{name}}.wasm. CLANG may name another compiler,
# EXOSPHERE_ALERTS the host's program.
set -eu
cd "$(dirname "$0")"
alerts=${EXOSPHERE_ALERTS:-exosphere-alerts}
command -v "$alerts" >/dev/null || {
  echo "build.sh: $alerts is not on the path; set EXOSPHERE_ALERTS to where it is" >&2
  exit 1
}
# Debian puts the version into the name, and a clang may come without a linker.
mkdir -p build
for clang in ${CLANG:-clang-19 clang-20 clang-21 clang}; do
  command -v "$clang" >/dev/null || continue
  "$clang" --target=wasm32-unknown-unknown -nostdlib -Wl,--no-entry -x c /dev/null -o build/empty.wasm 2>build/clang.log && break
  clang=
done
command -v "${clang:-none}" >/dev/null || {
  echo "build.sh: no clang that can link WebAssembly; install clang and lld (Debian: clang-19 and lld-19)," >&2
  echo "  or set CLANG. build/clang.log may say more." >&2
  exit 1
}
# No operating system and no C library; all that the file exports, the bindings
# in gen/ mark themselves.
"$clang" --target=wasm32-unknown-unknown -std=c17 -ffreestanding -nostdlib -isystem libc -I gen -I . \
  -O2 -Wall -Wextra -Wl,--no-entry,--strip-debug \
  plugin.c libc/libc.c gen/{{world}}.c gen/{{world}}_component_type.o -o build/plugin.wasm
"$alerts" plugin pack build/plugin.wasm --manifest plugin.toml --out {{name}}.wasm

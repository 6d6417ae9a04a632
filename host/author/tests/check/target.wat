;; A target whose `check` takes everything; what `next` does is put in.
(module
  (memory (export "memory") 64)
  (global $next (mut i32) (i32.const 65536))
  ;; In order, and never taken back: an instance serves one call.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "exosphere:alerts/adapter@1.0.0#check") (param i32 i32) (result i32)
    (i32.const 512))
  (func (export "exosphere:alerts/adapter@1.0.0#next") (param i32) (result i32)
    ;;NEXT
  )
  ;;DATA
)

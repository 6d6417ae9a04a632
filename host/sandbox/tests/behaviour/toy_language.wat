;; A condition language of one letter. The first letter of a source says what it does:
;;
;;   t  true
;;   f  false
;;   e  an error with a message
;;   n  an error with as many strokes as this instance answered calls
;;   l  never ends
;;   x  crashes
;;   q  crashes on an empty event, else true
;;   m  wants all memory, and crashes without
;;   k  keeps half a megabyte more, then true
;;   g  keeps sixteen megabytes more, each page of them in use, then true
;;   w  works as many rounds as the digits after it say, then true
;;   s  takes one verdict off the end of the list
;;   a  puts one verdict more at its end
;;   b  the list lies beyond memory
;;   u  an error whose message is not UTF-8
;;   h  an error with a message of three megabytes
;;   o  an error with a message of half a megabyte of zeroes
;;   v  a verdict of no known case
;;
;; Of the capitals, which are about compiling:
;;
;;   L  never ends
;;   X  crashes
;;   D  diagnostics without end
;;   U  a diagnostic that is not UTF-8
;;   H  the handle of no program
;;   M  twenty thousand empty diagnostics
;;   N  no diagnostic, and no program either
;;
;; Other small letters are true. All else, and nothing at all, has a diagnostic
;; for two bytes from byte 1 on.
(module
  (import "[export]exosphere:alerts/language@1.0.0" "[resource-new]program"
    (func $new_program (param i32) (result i32)))
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 65536))
  ;; What is below belongs to programs and stays.
  (global $floor (mut i32) (i32.const 65536))
  (global $calls (mut i32) (i32.const 0))
  ;; What a source takes off the list of verdicts, or puts on.
  (global $more (mut i32) (i32.const 0))
  (global $beyond (mut i32) (i32.const 0))
  (global $event_len (mut i32) (i32.const 0))
  (data (i32.const 1024) "the event has no such field")
  (data (i32.const 1088) "no such letter")
  (data (i32.const 1104) "\ff\fe")
  (data (i32.const 2048)
    "||||||||||||||||||||||||||||||||||||||||||||||||||||||||||||||||")

  (func $realloc (export "cabi_realloc")
    (param $old i32) (param $old_len i32) (param $align i32) (param $len i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $top))
    ;; With room for a zero at the end of a source.
    (global.set $top (i32.and
      (i32.add (i32.add (local.get $at) (local.get $len)) (i32.const 15))
      (i32.const -8)))
    (block $enough (loop $more
      (br_if $enough (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
      unreachable))
    (local.get $at))

  (func $letter (param $source i32) (result i32) (i32.load8_u (local.get $source)))

  (func $work (param $source i32)
    (local $rounds i32)
    (block $read (loop $digit
      (local.set $source (i32.add (local.get $source) (i32.const 1)))
      (br_if $read (i32.lt_u (i32.load8_u (local.get $source)) (i32.const 48)))
      (br_if $read (i32.gt_u (i32.load8_u (local.get $source)) (i32.const 57)))
      (local.set $rounds (i32.add
        (i32.mul (local.get $rounds) (i32.const 10))
        (i32.sub (i32.load8_u (local.get $source)) (i32.const 48))))
      (br $digit)))
    (block $done (loop $round
      (br_if $done (i32.eqz (local.get $rounds)))
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      (br $round))))

  (func $keep_much (local $at i32) (local $i i32)
    (local.set $at (memory.grow (i32.const 256)))
    (if (i32.eq (local.get $at) (i32.const -1)) (then unreachable))
    (local.set $at (i32.mul (local.get $at) (i32.const 65536)))
    (loop $page
      (i32.store8 (local.get $at) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 4096)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $page (i32.lt_u (local.get $i) (i32.const 4096)))))
  (func $keep (if (i32.eq (memory.grow (i32.const 8)) (i32.const -1)) (then unreachable)))

  ;; Writes a `result<bool, eval-error>`.
  (func $no_verdict (param $area i32) (param $text i32) (param $len i32)
    (i32.store (local.get $area) (i32.const 1))
    (i32.store offset=4 (local.get $area) (local.get $text))
    (i32.store offset=8 (local.get $area) (local.get $len)))
  (func $verdict (param $source i32) (param $area i32)
    (local $letter i32)
    (local.set $letter (call $letter (local.get $source)))
    (i64.store (local.get $area) (i64.const 0x100000000))
    (if (i32.eq (local.get $letter) (i32.const 0x66)) (then ;; f
      (i32.store offset=4 (local.get $area) (i32.const 0))))
    (if (i32.eq (local.get $letter) (i32.const 0x65)) (then ;; e
      (call $no_verdict (local.get $area) (i32.const 1024) (i32.const 27))))
    (if (i32.eq (local.get $letter) (i32.const 0x6e)) (then ;; n
      (call $no_verdict (local.get $area) (i32.const 2048) (global.get $calls))))
    (if (i32.eq (local.get $letter) (i32.const 0x6c)) (then ;; l
      (loop $on (br $on))))
    (if (i32.eq (local.get $letter) (i32.const 0x71)) (then ;; q
      (if (i32.eqz (global.get $event_len)) (then unreachable))))
    (if (i32.eq (local.get $letter) (i32.const 0x78)) (then ;; x
      unreachable))
    (if (i32.eq (local.get $letter) (i32.const 0x6d)) (then ;; m
      (loop $on (call $keep) (br $on))))
    (if (i32.eq (local.get $letter) (i32.const 0x6b)) (then ;; k
      (call $keep)))
    (if (i32.eq (local.get $letter) (i32.const 0x67)) (then ;; g
      (call $keep_much)))
    (if (i32.eq (local.get $letter) (i32.const 0x77)) (then ;; w
      (call $work (local.get $source))))
    (if (i32.eq (local.get $letter) (i32.const 0x73)) (then ;; s
      (global.set $more (i32.const -1))))
    (if (i32.eq (local.get $letter) (i32.const 0x61)) (then ;; a
      (global.set $more (i32.const 1))))
    (if (i32.eq (local.get $letter) (i32.const 0x62)) (then ;; b
      (global.set $beyond (i32.const 0x7ff00000))))
    (if (i32.eq (local.get $letter) (i32.const 0x75)) (then ;; u
      (call $no_verdict (local.get $area) (i32.const 1104) (i32.const 2))))
    (if (i32.eq (local.get $letter) (i32.const 0x68)) (then ;; h
      (call $no_verdict (local.get $area)
        (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 3000000))
        (i32.const 3000000))))
    (if (i32.eq (local.get $letter) (i32.const 0x6f)) (then ;; o
      (call $no_verdict (local.get $area)
        (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 500000))
        (i32.const 500000))))
    (if (i32.eq (local.get $letter) (i32.const 0x76)) (then ;; v
      (i32.store (local.get $area) (i32.const 7)))))

  ;; `result<program, list<diagnostic>>`.
  (func (export "exosphere:alerts/language@1.0.0#[static]program.compile")
    (param $source i32) (param $len i32) (result i32)
    (local $letter i32)
    (i32.store8 (i32.add (local.get $source) (local.get $len)) (i32.const 0))
    (global.set $floor (global.get $top))
    (i64.store (i32.const 512) (i64.const 0))
    ;; Of an empty source it is the zero.
    (local.set $letter (call $letter (local.get $source)))
    (if (i32.eq (local.get $letter) (i32.const 0x4c)) (then ;; L
      (loop $on (br $on))))
    (if (i32.eq (local.get $letter) (i32.const 0x58)) (then ;; X
      unreachable))
    (if (i32.eq (local.get $letter) (i32.const 0x44)) (then ;; D
      (i32.store (i32.const 512) (i32.const 1))
      (i32.store (i32.const 516) (i32.const 1024))
      (i32.store (i32.const 520) (i32.const 0x0ffffff))
      (return (i32.const 512))))
    (if (i32.eq (local.get $letter) (i32.const 0x4d)) (then ;; M
      (i32.store (i32.const 512) (i32.const 1))
      (i32.store (i32.const 516)
        (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 320000)))
      (i32.store (i32.const 520) (i32.const 20000))
      (return (i32.const 512))))
    (if (i32.eq (local.get $letter) (i32.const 0x4e)) (then ;; N
      (i32.store (i32.const 512) (i32.const 1))
      (i32.store (i32.const 516) (i32.const 1024))
      (i32.store (i32.const 520) (i32.const 0))
      (return (i32.const 512))))
    (if (i32.eq (local.get $letter) (i32.const 0x48)) (then ;; H
      (i32.store (i32.const 516) (i32.const 999))
      (return (i32.const 512))))
    (if (call $knows (local.get $letter)) (then
      (i32.store (i32.const 516) (call $new_program (local.get $source)))
      (return (i32.const 512))))
    (i32.store (i32.const 512) (i32.const 1))
    (i32.store (i32.const 516) (i32.const 528))
    (i32.store (i32.const 520) (i32.const 1))
    (i32.store (i32.const 528) (i32.const 1088))
    (i32.store (i32.const 532) (i32.const 14))
    (i32.store (i32.const 536) (i32.const 1))
    (i32.store (i32.const 540) (i32.const 2))
    (if (i32.eq (local.get $letter) (i32.const 0x55)) (then ;; U
      (i32.store (i32.const 528) (i32.const 1104))
      (i32.store (i32.const 532) (i32.const 2))))
    (i32.const 512))
  ;; Lower case.
  (func $knows (param $letter i32) (result i32)
    (i32.lt_u (i32.sub (local.get $letter) (i32.const 0x61)) (i32.const 26)))

  (func (export "exosphere:alerts/language@1.0.0#[method]program.evaluate")
    (param $program i32) (param $event i32) (param $event_len i32) (result i32)
    (global.set $event_len (local.get $event_len))
    (call $verdict (local.get $program) (i32.const 512))
    (i32.const 512))

  (func (export "exosphere:alerts/language@1.0.0#evaluate-all")
    (param $programs i32) (param $len i32) (param $event i32) (param $event_len i32)
    (result i32)
    (local $areas i32) (local $i i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.set $more (i32.const 0))
    (global.set $beyond (i32.const 0))
    (global.set $event_len (local.get $event_len))
    (local.set $areas (call $realloc (i32.const 0) (i32.const 0) (i32.const 4)
      (i32.mul (i32.add (local.get $len) (i32.const 1)) (i32.const 12))))
    (i64.store (i32.add (local.get $areas) (i32.mul (local.get $len) (i32.const 12)))
      (i64.const 0))
    (block $done (loop $each
      (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
      (call $verdict
        (i32.load (i32.add (local.get $programs) (i32.mul (local.get $i) (i32.const 4))))
        (i32.add (local.get $areas) (i32.mul (local.get $i) (i32.const 12))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $each)))
    (i32.store (i32.const 512) (i32.add (local.get $areas) (global.get $beyond)))
    (i32.store (i32.const 516) (i32.add (local.get $len) (global.get $more)))
    (i32.const 512))
  (func (export "cabi_post_exosphere:alerts/language@1.0.0#evaluate-all") (param i32)
    (global.set $top (global.get $floor))))

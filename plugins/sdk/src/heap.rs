//! The guest's heap, which begins in memory that an instance has from the start.
//!
//! A target adapter gets a fresh instance for each call. An allocator that grows
//! the memory for its first byte makes the host change the protection of pages
//! twice in each of them, which costs as much as the call itself. So the first
//! allocations come out of a fixed array; what is larger grows the memory as usual.

use core::alloc::Layout;
use core::mem::MaybeUninit;

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

/// Enough for a usual alert, its request and its answer. Pages of it that a call
/// does not touch cost nothing.
const FIRST_BYTES: usize = 256 * 1024;
/// What WebAssembly grows by.
const PAGE: usize = 64 * 1024;
/// More than the allocator wants for its own bookkeeping in a new piece of memory.
const OVERHEAD: usize = 128;

static mut FIRST: [MaybeUninit<u8>; FIRST_BYTES] = [MaybeUninit::uninit(); FIRST_BYTES];

#[global_allocator]
static HEAP: TalcSyncCell<FirstThenGrow, WasmBinning> =
    TalcSyncCell::new_wasm(FirstThenGrow { is_first_taken: false });

/// Where the heap's memory comes from.
#[derive(Debug)]
struct FirstThenGrow {
    is_first_taken: bool,
}

// SAFETY: it allocates nothing.
unsafe impl Source for FirstThenGrow {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        if !talc.source.is_first_taken {
            talc.source.is_first_taken = true;
            // SAFETY: nothing else refers to the array, and it is taken once. When
            // it is too small for what is wanted, this is called again.
            return unsafe { talc.claim((&raw mut FIRST).cast(), FIRST_BYTES) }.map(drop).ok_or(());
        }
        let bytes = layout.size().saturating_add(layout.align()).saturating_add(OVERHEAD);
        let pages = bytes.div_ceil(PAGE);
        let end = core::arch::wasm32::memory_grow::<0>(pages);
        if end == usize::MAX {
            return Err(());
        }
        // SAFETY: these pages are new, so nothing else refers to them.
        unsafe { talc.claim((end * PAGE) as *mut u8, pages * PAGE) }.map(drop).ok_or(())
    }
}

//! Version 1 of the plugin contract: the generated bindings and the way from
//! them to the host's own types. A version 2 stands beside this module and
//! shares nothing with it, so that old plugins go on working.

pub(crate) mod adapter;
mod convert;
pub(crate) mod language;
pub(crate) mod mapping;
pub(crate) mod ordering;

mod bindings {
    //! Generated from `wit/`.

    pub(super) mod condition {
        wasmtime::component::bindgen!({
            path: "../../wit",
            world: "condition",
        });
    }

    pub(super) mod target {
        wasmtime::component::bindgen!({
            path: "../../wit",
            world: "target",
            ownership: Borrowing { duplicate_if_necessary: true },
        });
    }

    pub(super) mod ordered {
        wasmtime::component::bindgen!({
            path: "../../wit/1.1",
            world: "ordered",
            ownership: Borrowing { duplicate_if_necessary: true },
        });
    }

    pub(super) mod mapped {
        wasmtime::component::bindgen!({
            path: "../../wit/1.1",
            world: "mapped",
        });
    }
}

//! The contract's types and exports, generated from `wit/`. One module per
//! world, since a plugin implements exactly one.

/// The world of target adapters.
#[expect(missing_docs, reason = "generated; the contract's own comments are carried over")]
pub mod target {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "target",
        pub_export_macro: true,
        default_bindings_module: "exosphere_alerts_sdk::bindings::target",
        additional_derives: [PartialEq, Eq],
    });
}

/// The world of condition languages.
#[expect(missing_docs, reason = "generated; the contract's own comments are carried over")]
pub mod condition {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "condition",
        pub_export_macro: true,
        default_bindings_module: "exosphere_alerts_sdk::bindings::condition",
        additional_derives: [PartialEq, Eq],
    });
}

/// What a target adapter may export besides, since version 1.1.
#[expect(missing_docs, reason = "generated; the contract's own comments are carried over")]
pub mod ordered {
    wit_bindgen::generate!({
        path: "../../wit/1.1",
        world: "ordered",
        pub_export_macro: true,
        default_bindings_module: "exosphere_alerts_sdk::bindings::ordered",
    });
}

/// What a condition language may export besides, since version 1.1.
#[expect(missing_docs, reason = "generated; the contract's own comments are carried over")]
pub mod mapped {
    wit_bindgen::generate!({
        path: "../../wit/1.1",
        world: "mapped",
        pub_export_macro: true,
        default_bindings_module: "exosphere_alerts_sdk::bindings::mapped",
    });
}

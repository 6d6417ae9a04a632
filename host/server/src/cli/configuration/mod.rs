//! `exosphere-alerts apply` and `export`: configuration as files. Works over the public API
//! alone.

mod apply;
mod check;
mod complaint;
mod difference;
mod export;
mod files;
mod host;
mod plan;
mod schema;
mod source;
mod step;
mod tree;
mod types;
mod wanted;

pub(super) use self::apply::{Apply, apply};
pub(super) use self::export::{Export, export};
pub(super) use self::schema::print_schema;

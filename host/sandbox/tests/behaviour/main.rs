//! The sandbox as its callers see it, with real WebAssembly: one file per
//! feature. The guests are core modules written by hand against `wit/`, so
//! nothing here rests on the SDK that the project's own plugins use.

mod bench;
mod guest;

mod bundle;
mod cache;
mod circuit;
mod compiling_child;
mod conditions;
mod frozen;
mod granted;
mod hostile_answers;
mod hostile_calls;
mod hostile_files;
mod mappings;
mod memory;
mod neighbours;
mod said;
mod targets;
mod tenants;

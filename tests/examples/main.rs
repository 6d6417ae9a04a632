//! The example plugins, one per language, in the real sandbox under its default
//! limits: what each sends, and what it makes of each answer. And the projects
//! and tutorials that an author begins with.

#![expect(clippy::unwrap_used, reason = "what the tests share, too, is nothing but tests")]

mod discord;
mod example;
mod ntfy;
mod opsgenie;
mod project;
mod teams;
mod tutorial;

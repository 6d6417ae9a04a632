//! The example plugins, one per language, in the real sandbox under its default
//! limits: what each sends, and what it makes of each answer.

mod discord;
mod example;
mod ntfy;
mod opsgenie;
mod teams;

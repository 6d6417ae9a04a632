//! `exosphere-alerts openapi`: the API's description, without a host.

use super::Failure;
use crate::api;
use crate::say::say;

pub(super) fn run() -> Result<(), Failure> {
    say(api::description());
    Ok(())
}

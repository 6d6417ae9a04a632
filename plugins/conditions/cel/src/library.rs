//! All that a condition can use: the standard library, the extension libraries
//! of the specification, and this plugin's own operators.

use std::sync::{Arc, LazyLock};

use cel::{DeclarationError, Env, extensions};

use crate::functions::{network, pattern, rounding, sets, time};
use crate::{growth, macros, operators, ordered};

/// Built once: it is some hundred allocations.
pub(crate) static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    let complete = extend(&mut env);
    debug_assert_eq!(complete, Ok(()), "no two libraries declare the same");
    Arc::new(env)
});

fn extend(env: &mut Env) -> Result<(), DeclarationError> {
    for library in [
        extensions::encoders,
        extensions::lists,
        extensions::math,
        extensions::strings,
        growth::extension,
        macros::extension,
        macros::pair_functions,
        network::extension,
        operators::extension,
        ordered::extension,
        pattern::extension,
        rounding::extension,
        sets::extension,
        time::extension,
    ] {
        library(env)?;
    }
    Ok(())
}

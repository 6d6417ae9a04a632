//! `plugin pack`: a plugin file out of a core module or a component, and its
//! `plugin.toml`.

use std::path::PathBuf;

use alerts_package::{Manifest, ManifestError, PackError, digest, encode, pack};

use crate::{AuthorError, Paper, file};

/// Arguments of `plugin pack`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the compiler made: a core module built with `wit-bindgen`, or a component.
    module: PathBuf,
    /// What the plugin says about itself.
    #[arg(long, value_name = "FILE", default_value = "plugin.toml")]
    manifest: PathBuf,
    /// The plugin file to write.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the plugin file, by rename: a host that watches the folder sees the
/// old file or the new one, and never half of one.
pub fn run(args: &Args, paper: &mut Paper<'_>) -> Result<(), AuthorError> {
    let module = file::bytes(&args.module)?;
    let text =
        std::fs::read_to_string(&args.manifest).map_err(AuthorError::read(&args.manifest))?;
    let manifest = Manifest::from_toml(&text)
        .map_err(|source| AuthorError::Manifest { path: args.manifest.clone(), source })?;
    let plugin = match pack(&module, &manifest) {
        Err(PackError::Component { source: ManifestError::CoreModule, .. }) => {
            encode(&module, &manifest)?
        }
        packed => packed?,
    };
    let unfinished = args.out.with_extension("wasm.unfinished");
    std::fs::write(&unfinished, &plugin)
        .and_then(|()| std::fs::rename(&unfinished, &args.out))
        .map_err(AuthorError::write(&args.out))?;
    paper.line(format_args!(
        "{}: {} `{}` {}, {} bytes, {}",
        args.out.display(),
        manifest.kind.word(),
        manifest.id,
        manifest.version,
        plugin.len(),
        digest(&plugin)
    ));
    Ok(())
}

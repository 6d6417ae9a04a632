//! `plugin inspect`: what is in a plugin file, without running any of it.

use std::path::{Path, PathBuf};

use alerts_domain::plugin_limits::PluginLimits;
use alerts_package::{Kind, Manifest, digest, read_manifest};
use alerts_sandbox::{CallLimits, Limits};
use serde::Serialize;
use serde_json::Value;
use wasmparser::{ComponentExternalKind, Parser, Payload};

use crate::{AuthorError, Paper, file};

/// Arguments of `plugin inspect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plugin file.
    file: PathBuf,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// What a file holds. Serializes as `--json` prints it.
#[derive(Debug, Serialize)]
struct Findings {
    digest: String,
    size_bytes: usize,
    kind: &'static str,
    manifest: Manifest,
    imports: Vec<String>,
    exports: Vec<String>,
    limits: Vec<Limit>,
}

#[derive(Debug, Serialize)]
struct Limit {
    name: &'static str,
    /// In the manifest.
    asked: Option<u64>,
    /// Under an operator who changed nothing.
    effective: u64,
}

/// Prints what is in the file.
pub fn run(args: &Args, paper: &mut Paper<'_>) -> Result<(), AuthorError> {
    let found = look(&args.file)?;
    if args.json {
        let json = serde_json::to_string_pretty(&found)
            .map_err(|source| AuthorError::Json { path: args.file.clone(), source })?;
        paper.line(json);
    } else {
        print(&found, paper);
    }
    Ok(())
}

fn look(path: &Path) -> Result<Findings, AuthorError> {
    let wasm = file::bytes(path)?;
    let manifest = read_manifest(&wasm)
        .map_err(|source| AuthorError::NotAPlugin { path: path.to_owned(), source })?;
    let (imports, exports) = interfaces(&wasm);
    Ok(Findings {
        digest: digest(&wasm).to_string(),
        size_bytes: wasm.len(),
        kind: manifest.kind.word(),
        limits: limits(manifest.kind, &manifest.limits),
        manifest,
        imports,
        exports,
    })
}

/// Names at the component's top level. What does not parse is left to admission,
/// which says why.
fn interfaces(wasm: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload {
            Ok(Payload::Version { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::ComponentImportSection(section)) if depth == 1 => {
                imports.extend(section.into_iter().flatten().map(|import| {
                    let is_type = matches!(import.ty, wasmparser::ComponentTypeRef::Type(_));
                    let note = if is_type { " (a type)" } else { "" };
                    format!("{}{note}", import.name.name)
                }));
            }
            Ok(Payload::ComponentExportSection(section)) if depth == 1 => {
                let interfaces = section.into_iter().flatten();
                let interfaces = interfaces.filter(|e| e.kind != ComponentExternalKind::Type);
                exports.extend(interfaces.map(|export| export.name.name.to_owned()));
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    (imports, exports)
}

fn limits(kind: Kind, asked: &PluginLimits) -> Vec<Limit> {
    let granted = Limits::default();
    let call: CallLimits = match kind {
        Kind::Condition => granted.condition,
        Kind::Target => granted.target,
    };
    let limit = |name, asked: Option<u64>, granted: u64| Limit {
        name,
        asked,
        effective: asked.map_or(granted, |asked| asked.min(granted)),
    };
    let mut limits = vec![
        limit("fuel", asked.fuel, call.fuel),
        limit("deadline_ms", asked.deadline_ms, call.deadline_ms),
        limit("memory_bytes", asked.memory_bytes, granted.memory_bytes as u64),
        limit("output_bytes", asked.output_bytes, granted.output_bytes as u64),
    ];
    if kind == Kind::Target {
        limits.push(limit("exchanges", asked.exchanges, granted.exchanges.into()));
    }
    limits
}

fn print(found: &Findings, paper: &mut Paper<'_>) {
    let Findings { manifest, .. } = found;
    let list = |names: &[String]| match names {
        [] => "nothing".to_owned(),
        names => names.join(", "),
    };
    paper.line(format_args!("{} {}: a {}", manifest.id, manifest.version, found.kind));
    paper.line(&manifest.summary);
    paper.line("");
    paper.line(format_args!("digest    {}", found.digest));
    paper.line(format_args!("size      {} bytes", found.size_bytes));
    paper.line(format_args!("imports   {}", list(&found.imports)));
    paper.line(format_args!("exports   {}", list(&found.exports)));
    if manifest.kind == Kind::Target {
        let url = match (&manifest.default_url, manifest.url_is_secret) {
            (Some(url), _) => format!("{url} unless the endpoint names another"),
            (None, true) => "the endpoint's, kept secret".to_owned(),
            (None, false) => "the endpoint's".to_owned(),
        };
        paper.line(format_args!("url       {url}"));
        paper.line(format_args!("hosts     {}", list(&manifest.hosts)));
        for secret in &manifest.secrets {
            let need = if secret.required { "required" } else { "optional" };
            paper.line(format_args!("secret    {} ({need}): {}", secret.name, secret.summary));
        }
        let properties = manifest.settings.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let title = property.get("title").and_then(Value::as_str).unwrap_or_default();
            paper.line(format_args!("setting   {name}: {title}"));
        }
    }
    paper.line("");
    paper.line("limit             asked           effective");
    for Limit { name, asked, effective } in &found.limits {
        let asked = asked.map_or_else(|| "-".to_owned(), |asked| asked.to_string());
        paper.line(format_args!("{name:<18}{asked:<16}{effective}"));
    }
    paper.line("\nEffective is under an operator who changed nothing; less may be granted.");
}

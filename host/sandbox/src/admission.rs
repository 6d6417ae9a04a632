//! From a file to a plugin: everything that is checked before code that nobody
//! has vouched for is called on anyone's behalf.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use alerts_domain::plugin_limits::PluginLimits;
use alerts_package::{Digest, Manifest, digest, read_manifest};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::breaker::CircuitBreaker;
use crate::bundle;
use crate::cache::Cache;
use crate::compiler::{self, Uncompiled};
use crate::config::SandboxConfig;
use crate::contract::Unbound;
use crate::engine::{self, TickingEngine};
use crate::error::{CallError, LoadError, MEMORY, PluginName, SandboxError};
use crate::guest::{self, Guest};
use crate::limits::Limits;
use crate::plugin::{Plugin, Terms};
use crate::plugin_key::PluginKey;
use crate::said;
use crate::stats;
use crate::suspects::Suspects;
use crate::uses::Uses;
use crate::warm::WarmSessions;

/// WebAssembly's unit of memory.
const PAGE_BYTES: u64 = 64 << 10;

/// What takes plugin files in.
pub(crate) struct Admission {
    pub(crate) config: SandboxConfig,
    engine: TickingEngine,
    cache: Option<Cache>,
    /// Of all plugins that were admitted here.
    warm: Arc<WarmSessions>,
    /// One new plugin is tried at a time: the pool has one slot for first calls.
    /// Compiling is not part of it; whoever loads bounds how many compile at once.
    trying: Mutex<()>,
}

impl Admission {
    /// Starts the engine and its ticker.
    pub(crate) fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        if let Some((name, ceiling)) = config.limits.out_of_range() {
            return Err(SandboxError::Limit { name, ceiling });
        }
        let cache = config.cache_dir.clone().map(Cache::open).transpose()?;
        let engine = TickingEngine::start(&config).map_err(SandboxError::Engine)?;
        if let (Some(cache), Some(program)) = (&cache, &config.program) {
            bundle::unpack(program, engine.engine(), cache);
        }
        let warm = Arc::new(WarmSessions::new(
            config.warm_instances,
            config.warm_calls,
            config.warm_growth_bytes,
        ));
        Ok(Self { config, engine, cache, warm, trying: Mutex::default() })
    }

    /// Whether the compiled form of a file is in the cache.
    pub(crate) fn has_compiled(&self, digest: &Digest) -> bool {
        self.cache.as_ref().is_some_and(|cache| cache.has(self.engine.engine(), digest))
    }

    /// Checks a file, compiles it or takes the compiled form from the cache, and
    /// calls it once. Blocks.
    pub(crate) fn admit(&self, wasm: &[u8], granted: PluginLimits) -> Result<Plugin, LoadError> {
        let limit_bytes = self.config.wasm_bytes;
        if wasm.len() > limit_bytes {
            return Err(LoadError::TooLarge { bytes: wasm.len(), limit_bytes });
        }
        // Reads section headers and nothing else, so it refuses core modules, text
        // and precompiled files before the compiler sees them.
        let manifest = read_manifest(wasm)?;
        let name = PluginName { id: Arc::from(manifest.id.as_str()), digest: digest(wasm) };
        let host_limits = self.config.limits;
        let limits = host_limits.for_plugin(manifest.kind, &manifest.limits, &granted);

        let component = self.compiled(&name, &limits, wasm)?;
        check_resources(&component, &name, &limits)?;
        // Else the first call of each instance would copy the data segments.
        component
            .initialize_copy_on_write_image()
            .map_err(|error| invalid(&name, format!("{error:#}")))?;
        let uses = Arc::<Uses>::default();
        let _alone = self.trying.lock().unwrap_or_else(PoisonError::into_inner);
        let guest = guest::bind(&component, manifest.kind, &self.engine, &limits, &uses)
            .map_err(|unbound| explain(unbound, &component, &name, &manifest))?;
        first_call(&guest, &limits, &name).map_err(LoadError::FirstCall)?;
        Ok(Plugin {
            name,
            manifest,
            host_limits,
            terms: RwLock::new(Terms { key: PluginKey::next(), granted, limits }),
            guest,
            breaker: CircuitBreaker::default(),
            suspects: Suspects::default(),
            counts: Default::default(),
            uses,
            warm: self.warm.clone(),
        })
    }

    fn compiled(
        &self,
        name: &PluginName,
        limits: &Limits,
        wasm: &[u8],
    ) -> Result<Component, LoadError> {
        let engine = self.engine.engine();
        if let Some(component) = self.cache.as_ref().and_then(|c| c.get(engine, &name.digest)) {
            return Ok(component);
        }
        let began = Instant::now();
        let code =
            compiler::compile(&self.config.compiler, engine, wasm).map_err(|why| match why {
                Uncompiled::Invalid(detail) => invalid(name, detail),
                Uncompiled::Process(detail) => LoadError::Compiler { plugin: name.clone(), detail },
            })?;
        let (plugin, digest) = (&*name.id, &name.digest);
        tracing::info!(plugin, %digest, took_ms = began.elapsed().as_millis(), "plugin compiled");
        stats::compiled(plugin);
        // SAFETY: these bytes were just written by our compiler, in this process
        // or in a child that is this program.
        let component = unsafe { Component::deserialize(engine, &code) }
            .map_err(|error| unfit(name, limits, &code, &error))?;
        let Some(cache) = &self.cache else { return Ok(component) };
        cache.put(engine, &name.digest, &code);
        // From the file, so that its pages can be given back.
        Ok(cache.get(engine, &name.digest).unwrap_or(component))
    }
}

/// Why code that did compile cannot be run here: the pool has no slot of its
/// size. Only an engine without a pool can tell what it needs.
fn unfit(name: &PluginName, limits: &Limits, code: &[u8], error: &wasmtime::Error) -> LoadError {
    let detail = format!("{error:#}");
    let unpooled = Engine::new(&engine::code_config()).and_then(|engine| {
        // SAFETY: as above, and it is not run.
        unsafe { Component::deserialize(&engine, code) }
    });
    match unpooled {
        Ok(component) => check_resources(&component, name, limits)
            .err()
            .unwrap_or_else(|| LoadError::Unfit { plugin: name.clone(), detail }),
        Err(_) => LoadError::Compiler {
            plugin: name.clone(),
            detail: format!("gave code that does not load: {detail}"),
        },
    }
}

/// The detail may quote the file.
fn invalid(name: &PluginName, detail: String) -> LoadError {
    LoadError::Compile { plugin: name.clone(), detail: said::text(detail) }
}

/// Whether one instance fits into the pool's slot. What does not fit would
/// otherwise fail on its first delivery.
fn check_resources(
    component: &Component,
    name: &PluginName,
    limits: &Limits,
) -> Result<(), LoadError> {
    let Some(required) = component.resources_required() else {
        // Only a component that imports modules does not know; it is refused
        // for the import.
        return Ok(());
    };
    let pages = required.max_initial_memory_size.unwrap_or(0);
    let needs = [
        ("memories", u64::from(required.num_memories), u64::from(limits.memories)),
        ("tables", u64::from(required.num_tables), u64::from(limits.tables)),
        (MEMORY, pages.saturating_mul(PAGE_BYTES), limits.memory_bytes as u64),
        (
            "table elements",
            required.max_initial_table_size.unwrap_or(0),
            limits.table_elements as u64,
        ),
    ];
    match needs.into_iter().find(|(_, needs, granted)| needs > granted) {
        None => Ok(()),
        Some((what, needs, granted)) => {
            Err(LoadError::Resources { plugin: name.clone(), what, needs, granted })
        }
    }
}

fn explain(
    unbound: Unbound,
    component: &Component,
    name: &PluginName,
    manifest: &Manifest,
) -> LoadError {
    let (engine, ty) = (component.engine(), component.component_type());
    let quoted = |names: Vec<String>| match names.is_empty() {
        true => "nothing".to_owned(),
        false => said::text(names.join(", ")),
    };
    match unbound {
        Unbound::Version { exports, interface } => {
            LoadError::Version { plugin: name.clone(), exports: said::text(exports), interface }
        }
        Unbound::Imports(source) => LoadError::Imports {
            plugin: name.clone(),
            imports: quoted(ty.imports(engine).map(|(import, _)| format!("`{import}`")).collect()),
            source,
        },
        Unbound::World { interface, source } => LoadError::World {
            plugin: name.clone(),
            kind: manifest.kind,
            interface,
            exports: quoted(ty.exports(engine).map(|(export, _)| format!("`{export}`")).collect()),
            source,
        },
        Unbound::Start(fault) => LoadError::FirstCall(CallError::new(name.clone(), fault)),
    }
}

/// Anything but a fault is a good answer: an empty source need not compile, and
/// `{}` need not be good settings.
fn first_call(guest: &Guest, limits: &Limits, name: &PluginName) -> Result<(), CallError> {
    match guest {
        Guest::Language(language) => language
            .start(limits)
            .and_then(|mut session| session.compile(&Arc::from(""), limits.compile))
            .map(drop),
        Guest::Adapter(adapter) => adapter.check(b"{}", limits).map(drop),
    }
    .map_err(|fault| CallError::new(name.clone(), fault))
}

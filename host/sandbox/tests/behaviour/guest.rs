//! Makes plugin files of core modules in WebAssembly text. The component around
//! a module is made from the WIT alone.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use alerts_package::{Kind, Manifest, pack};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Where the contract is kept. Looked for upwards, since the tests of the whole
/// host use this file too.
fn wit_folder() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|folder| folder.join("wit")).find(|wit| wit.is_dir()).expect("it is there")
}

/// A core module as a component of a world of `wit/`.
pub(crate) fn component(world: &str, core: &str) -> Vec<u8> {
    let mut wit = Resolve::default();
    let (package, _) = wit.push_dir(wit_folder()).expect("the contract reads");
    encode(&wit, package, world, core)
}

/// A core module as a component of a world of this WIT text.
pub(crate) fn component_of(wit: &str, world: &str, core: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("contract.wit", wit).expect("the contract reads");
    encode(&resolve, package, world, core)
}

/// A core module as a component of the worlds `condition` and `mapped`.
pub(crate) fn component_of_both(core: &str) -> Vec<u8> {
    let mut module = wat::parse_str(core).expect("the core module reads");
    for (folder, world) in [(wit_folder(), "condition"), (wit_folder().join("1.1"), "mapped")] {
        let mut wit = Resolve::default();
        let (package, _) = wit.push_dir(folder).expect("the contract reads");
        embed(&mut module, &wit, package, world);
    }
    component_of_module(&module)
}

fn encode(wit: &Resolve, package: wit_parser::PackageId, world: &str, core: &str) -> Vec<u8> {
    let mut module = wat::parse_str(core).expect("the core module reads");
    embed(&mut module, wit, package, world);
    component_of_module(&module)
}

fn embed(module: &mut Vec<u8>, wit: &Resolve, package: wit_parser::PackageId, world: &str) {
    let world = wit.select_world(&[package], Some(world)).expect("the world exists");
    embed_component_metadata(module, wit, world, StringEncoding::UTF8, false)
        .expect("the metadata encodes");
}

fn component_of_module(module: &[u8]) -> Vec<u8> {
    let mut encoder = ComponentEncoder::default();
    // Not validated here: some guests are invalid on purpose.
    encoder.validate(false).module(module).expect("the module fits the world");
    encoder.encode().expect("the component encodes")
}

/// A manifest of this kind; `more` is TOML that comes after the required fields.
pub(crate) fn manifest(kind: Kind, more: &str) -> Manifest {
    let kind = kind.word();
    let toml = format!(
        "id = 'guest'\nkind = '{kind}'\nversion = '1.0.0'\nsummary = 'Made for a test.'\n{more}"
    );
    Manifest::from_toml(&toml).expect("the manifest reads")
}

/// Constants in a guest's memory, from which answers are put together: an area
/// is 32-bit words as the canonical ABI lays a record or variant out.
pub(crate) struct Image(Vec<u8>);

impl Image {
    /// What is below is the guest's own: a null pointer points at nothing.
    const BASE: u32 = 1024;

    /// Pointer and length.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> [u32; 2] {
        // Eight is the largest alignment there is.
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        let at = Self::BASE + u32::try_from(self.0.len()).expect("constants are small");
        self.0.extend_from_slice(bytes);
        [at, u32::try_from(bytes.len()).expect("constants are small")]
    }

    pub(crate) fn words(&mut self, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.bytes(&bytes)[0]
    }

    fn wat(&self) -> String {
        let mut text = format!("(data (i32.const {}) \"", Self::BASE);
        for byte in &self.0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\{byte:02x}");
        }
        text + "\")"
    }
}

/// A target adapter. Unless told otherwise it takes any settings and has
/// delivered every alert.
pub(crate) struct Target {
    image: Image,
    memory: &'static str,
    realloc: &'static str,
    check: String,
    next: String,
    fields: String,
    manifest: String,
    id: &'static str,
}

impl Target {
    pub(crate) fn new() -> Self {
        Self {
            image: Image(Vec::new()),
            memory: "(memory (export \"memory\") 2)",
            realloc: BUMP,
            check: String::new(),
            next: String::new(),
            fields: String::new(),
            manifest: String::new(),
            id: "guest",
        }
        .checking(|image| image.words(&[0]))
        .answering(|image| image.words(&step::delivered()))
    }

    /// `check` gives this area, a `result<_, list<problem>>`.
    pub(crate) fn checking(mut self, area: impl FnOnce(&mut Image) -> u32) -> Self {
        self.check = format!("(i32.const {})", area(&mut self.image));
        self
    }

    /// `next` gives this area, a `step`.
    pub(crate) fn answering(mut self, area: impl FnOnce(&mut Image) -> u32) -> Self {
        self.next = format!("(i32.const {})", area(&mut self.image));
        self
    }

    /// `check` is this code, which leaves a pointer to its area.
    pub(crate) fn check(mut self, code: &str) -> Self {
        self.check = code.to_owned();
        self
    }

    /// `next` does this first, and then answers. The code may use the local `$i`.
    pub(crate) fn before_answering(mut self, code: &str) -> Self {
        self.next.insert_str(0, code);
        self
    }

    /// More fields of the module: functions, globals, a start function.
    pub(crate) fn with(mut self, fields: &str) -> Self {
        self.fields.push_str(fields);
        self
    }

    /// Instead of `guest`.
    pub(crate) fn id(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }

    pub(crate) fn memory(mut self, memory: &'static str) -> Self {
        self.memory = memory;
        self
    }

    /// Instead of the allocator that always has more.
    pub(crate) fn realloc(mut self, realloc: &'static str) -> Self {
        self.realloc = realloc;
        self
    }

    /// More fields of the manifest, as TOML.
    pub(crate) fn manifest(mut self, toml: &str) -> Self {
        self.manifest.push_str(toml);
        self
    }

    pub(crate) fn core(&self) -> String {
        let Self { image, memory, realloc, check, next, fields, .. } = self;
        let data = image.wat();
        format!(
            "(module {memory} {realloc}
               (func (export \"exosphere:alerts/adapter@1.0.0#check\")
                 (param $settings i32) (param $settings_len i32) (result i32) {check})
               (func (export \"exosphere:alerts/adapter@1.0.0#next\")
                 (param $call i32) (result i32) (local $i i32) {next})
               {data} {fields})"
        )
    }

    pub(crate) fn component(&self) -> Vec<u8> {
        component("target", &self.core())
    }

    pub(crate) fn pack(&self) -> Vec<u8> {
        let mut manifest = manifest(Kind::Target, &self.manifest);
        manifest.id = self.id.to_owned();
        pack(&self.component(), &manifest).expect("the component takes a manifest")
    }
}

/// The condition language of `toy_language.wat`: sources are one letter long.
pub(crate) struct Language(String);

impl Language {
    pub(crate) fn new() -> Self {
        Self(include_str!("toy_language.wat").to_owned())
    }

    /// More fields of the module.
    pub(crate) fn with(mut self, fields: &str) -> Self {
        let end = self.0.rfind(')').expect("the module ends");
        self.0.insert_str(end, fields);
        self
    }

    pub(crate) fn core(&self) -> &str {
        &self.0
    }

    pub(crate) fn component(&self) -> Vec<u8> {
        component("condition", &self.0)
    }

    pub(crate) fn pack(&self) -> Vec<u8> {
        packed(&self.component(), Kind::Condition, "")
    }
}

/// A component with a manifest.
pub(crate) fn packed(component: &[u8], kind: Kind, more: &str) -> Vec<u8> {
    pack(component, &manifest(kind, more)).expect("the component takes a manifest")
}

/// Allocates upwards and never frees.
const BUMP: &str = r#"
    (global $top (mut i32) (i32.const 65536))
    (func $realloc (export "cabi_realloc")
      (param $old i32) (param $old_len i32) (param $align i32) (param $len i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $top))
      (global.set $top (i32.and
        (i32.add (i32.add (local.get $at) (local.get $len)) (i32.const 15))
        (i32.const -8)))
      (block $enough (loop $more
        (br_if $enough
          (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
        unreachable))
      (local.get $at))"#;

/// Areas of the variant `step`: its case, padding, then the payload.
pub(crate) mod step {
    use alerts_domain::exchange::{Request, Step, Verdict};

    use super::Image;

    pub(crate) const SEND: u32 = 0;
    pub(crate) const SEND_LAST: u32 = 1;
    pub(crate) const DONE: u32 = 2;

    pub(crate) fn delivered() -> [u32; 10] {
        [DONE, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    }

    /// `done(rejected(reason))`, with the reason wherever `text` says it is.
    pub(crate) fn rejected([at, len]: [u32; 2]) -> [u32; 10] {
        [DONE, 0, 2, 0, at, len, 0, 0, 0, 0]
    }

    /// A request with a body, wherever that is.
    pub(crate) fn send(case: u32, image: &mut Image, body: [u32; 2]) -> [u32; 13] {
        let ([m, ml], [u, ul]) = (image.bytes(b"POST"), image.bytes(b"https://example.com/"));
        [case, 0, m, ml, u, ul, 0, 0, body[0], body[1], 0, 0, 0]
    }

    /// Any step of the host's, as a guest lays it out.
    pub(crate) fn area(image: &mut Image, step: &Step) -> u32 {
        match step {
            Step::Send(wanted) => request(image, SEND, wanted),
            Step::SendLast(wanted) => request(image, SEND_LAST, wanted),
            Step::Done(verdict) => {
                let payload = match verdict {
                    Verdict::Delivered(None) => [0, 0, 0, 0, 0, 0, 0, 0],
                    Verdict::Delivered(Some(note)) => {
                        let [at, len] = image.bytes(note.as_bytes());
                        [0, 0, 1, at, len, 0, 0, 0]
                    }
                    Verdict::Retry { after_ms, reason } => {
                        let [at, len] = image.bytes(reason.as_bytes());
                        let ms = after_ms.unwrap_or(0).to_le_bytes();
                        let half = |from: usize| {
                            u32::from_le_bytes([ms[from], ms[from + 1], ms[from + 2], ms[from + 3]])
                        };
                        [1, 0, after_ms.is_some().into(), 0, half(0), half(4), at, len]
                    }
                    Verdict::Rejected(reason) => {
                        let [at, len] = image.bytes(reason.as_bytes());
                        [2, 0, at, len, 0, 0, 0, 0]
                    }
                    Verdict::Gone(reason) => {
                        let [at, len] = image.bytes(reason.as_bytes());
                        [3, 0, at, len, 0, 0, 0, 0]
                    }
                };
                image.words(&[&[DONE, 0][..], &payload].concat())
            }
        }
    }

    fn request(image: &mut Image, case: u32, request: &Request) -> u32 {
        let [m, ml] = image.bytes(request.method.as_bytes());
        let [u, ul] = image.bytes(request.url.as_bytes());
        let pairs: Vec<u32> = request
            .headers
            .iter()
            .flat_map(|(name, value)| {
                [image.bytes(name.as_bytes()), image.bytes(value.as_bytes())].concat()
            })
            .collect();
        let h = image.words(&pairs);
        let hl = u32::try_from(request.headers.len()).expect("headers are few");
        let [b, bl] = image.bytes(&request.body);
        image.words(&[case, 0, m, ml, u, ul, h, hl, b, bl, request.sign.into(), 0, 0])
    }
}

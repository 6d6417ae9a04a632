//! The dashboard's files: all of `dashboard/dist`, each as it is and, where that is
//! smaller, compressed as well as it can be.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{entries, out, write};

/// Largest window and best quality: it is done once, and sent many times.
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW: u32 = 22;

pub(crate) fn list(dist: &Path) {
    // A folder that is not there would have this program run, and the server compiled, at
    // each build.
    let _ = fs::create_dir_all(dist);
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut list = String::from("&[\n");
    for (number, file) in files(dist).iter().enumerate() {
        match entry(dist, file, number) {
            Ok(entry) => list.push_str(&entry),
            Err(error) => {
                println!("cargo::error={} could not be compressed: {error}", file.display());
            }
        }
    }
    list.push_str("]\n");
    write("dashboard_files.rs", "the dashboard's files", &list);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let one_or_all = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries(folder).into_iter().flat_map(one_or_all).collect()
}

fn entry(dist: &Path, file: &Path, number: usize) -> io::Result<String> {
    let bytes = fs::read(file)?;
    let path = file.strip_prefix(dist).unwrap_or(file).to_string_lossy().replace('\\', "/");
    let brotli = kept(&bytes, brotli(&bytes)?, &format!("dashboard-{number}.br"))?;
    let gzip = kept(&bytes, gzip(&bytes)?, &format!("dashboard-{number}.gz"))?;
    let file = file.display().to_string();
    Ok(format!(
        "    Embedded {{ path: {path:?}, plain: include_bytes!({file:?}), brotli: {brotli}, gzip: \
         {gzip} }},\n"
    ))
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI_QUALITY, BROTLI_WINDOW);
    writer.write_all(bytes)?;
    Ok(writer.into_inner())
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    writer.finish()
}

/// As an expression for the program: none where compressing gains less than a tenth, as
/// with pictures.
fn kept(plain: &[u8], compressed: Vec<u8>, name: &str) -> io::Result<String> {
    if compressed.len() * 10 > plain.len() * 9 {
        return Ok("None".to_owned());
    }
    let file = out().join(name);
    fs::write(&file, compressed)?;
    Ok(format!("Some(include_bytes!({:?}))", file.display().to_string()))
}

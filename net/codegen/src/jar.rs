//! Reads text files out of a jar: as much of the zip format as Maven's jars use.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::DeflateDecoder;

/// The files directly under `folder` whose names end so, with their text.
pub fn read(jar: &Path, folder: &str, ends: &str) -> io::Result<Vec<(String, String)>> {
    let zip = fs::read(jar)?;
    entries(&zip, folder, ends).ok_or_else(|| io::Error::other("not a zip file this can read"))
}

fn entries(zip: &[u8], folder: &str, ends: &str) -> Option<Vec<(String, String)>> {
    // The end record is 22 bytes and a comment; it says where the directory is.
    let end = (0..=zip.len().checked_sub(22)?)
        .rev()
        .find(|at| zip[*at..].starts_with(b"PK\x05\x06"))?;
    let count = u16_at(zip, end + 10)?;
    let mut at = u32_at(zip, end + 16)?;
    let mut files = Vec::new();
    for _ in 0..count {
        if !zip.get(at..)?.starts_with(b"PK\x01\x02") {
            return None;
        }
        let method = u16_at(zip, at + 10)?;
        let packed_len = u32_at(zip, at + 20)?;
        let name_len = u16_at(zip, at + 28)?;
        let local = u32_at(zip, at + 42)?;
        let name = std::str::from_utf8(zip.get(at + 46..at + 46 + name_len)?).ok()?;
        if let Some(file) = name.strip_prefix(folder)
            && file.ends_with(ends)
            && !file.contains('/')
        {
            let data = local + 30 + u16_at(zip, local + 26)? + u16_at(zip, local + 28)?;
            let packed = zip.get(data..data + packed_len)?;
            let mut text = String::new();
            match method {
                0 => text.push_str(std::str::from_utf8(packed).ok()?),
                8 => drop(DeflateDecoder::new(packed).read_to_string(&mut text).ok()?),
                _ => return None,
            }
            files.push((file.to_owned(), text));
        }
        at += 46 + name_len + u16_at(zip, at + 30)? + u16_at(zip, at + 32)?;
    }
    Some(files)
}

fn u16_at(zip: &[u8], at: usize) -> Option<usize> {
    let bytes = zip.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes).into())
}

fn u32_at(zip: &[u8], at: usize) -> Option<usize> {
    let bytes = zip.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

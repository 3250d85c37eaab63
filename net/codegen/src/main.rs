//! `cargo run -p corelane-codegen [JAR]`: writes the generated codecs into the workspace.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let jar = env::args_os().nth(1).map(PathBuf::from);
    let jar = jar.unwrap_or_else(corelane_codegen::default_jar);
    match write(&jar) {
        Ok(count) => {
            println!("{count} files from {}", jar.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", jar.display());
            ExitCode::FAILURE
        }
    }
}

fn write(jar: &std::path::Path) -> io::Result<usize> {
    let files = corelane_codegen::generate(jar)?;
    let root = corelane_codegen::workspace();
    let generated = root.join("net/protocol/src/generated");
    if generated.exists() {
        fs::remove_dir_all(&generated)?;
    }
    for (path, text) in &files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("every file is in a folder"))?;
        fs::write(path, text)?;
    }
    Ok(files.len())
}

//! Facts about the source tree: the pure halves stay pure, the README's map is true, files say what they are.

use std::fs;
use std::path::{Path, PathBuf};

/// What decides must not ask the system, nor share. `(pattern, why)`.
const IMPURE: &[(&str, &str)] = &[
    ("Instant::now", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("std::time::Instant", "time is an argument"),
    ("thread_rng", "randomness is an argument"),
    ("from_entropy", "randomness is an argument"),
    (
        "RandomState",
        "a randomly seeded map has no order to repeat",
    ),
    (
        "HashMap::new",
        "a randomly seeded map has no order to repeat",
    ),
    (
        "HashSet::new",
        "a randomly seeded map has no order to repeat",
    ),
    (
        "HashMap::default",
        "a randomly seeded map has no order to repeat",
    ),
    ("std::thread", "threads live in uring/"),
    ("thread::spawn", "threads live in uring/"),
    ("std::env", "settings are arguments"),
    ("std::net::Tcp", "sockets live in uring/"),
    ("std::fs", "files live in uring/"),
    ("Mutex", "cores meet by message"),
    ("RwLock", "cores meet by message"),
    ("Arc<", "cores meet by message"),
    ("Arc::", "cores meet by message"),
    ("Atomic", "cores meet by message"),
    ("unsafe ", "unsafe lives in uring/"),
];

/// Where the pure rules hold: `(crate's source, directories in it where they do not)`.
const PURE: &[(&str, &[&str])] = &[("engine/src", &["uring"]), ("net/src", &["uring"])];

#[test]
fn the_pure_halves_ask_nobody_and_share_nothing() {
    let mut found = Vec::new();
    for (source, kernel) in PURE {
        let source = root().join(source);
        for path in rust_files(&source) {
            let inside = path.strip_prefix(&source).expect("found below it");
            let of_tests = |part: std::path::Component<'_>| {
                let name = part.as_os_str().to_string_lossy();
                name == "tests" || name.ends_with("_tests")
            };
            let tests =
                inside.to_string_lossy().ends_with("tests.rs") || inside.components().any(of_tests);
            if tests || kernel.iter().any(|directory| inside.starts_with(directory)) {
                continue;
            }
            found.extend(impure(&path, &fs::read_to_string(&path).expect("readable")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Lines of code, not of comment, that hold a forbidden pattern; a file's tests may use what they like.
fn impure(path: &Path, text: &str) -> Vec<String> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .flat_map(|(number, line)| {
            let code = line.split(" // ").next().unwrap_or(line);
            IMPURE
                .iter()
                .filter(|(pattern, _)| code.contains(pattern))
                .map(move |(pattern, why)| (number + 1, *pattern, *why))
        })
        .map(|(line, pattern, why)| format!("{}:{line}: {pattern}: {why}", path.display()))
        .collect()
}

#[test]
fn the_checker_sees_what_is_impure() {
    let text = "//! Arc<T> in a comment.\nlet t = Instant::now();\nlet x = 1; // unsafe ?\n#[cfg(test)]\nlet m = Mutex::new(0);\n";
    let found = impure(Path::new("planted.rs"), text);
    assert_eq!(found, ["planted.rs:2: Instant::now: time is an argument"]);
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    let silent: Vec<String> = ["engine", "net", "tools", "bench", "tests"]
        .into_iter()
        .flat_map(|part| rust_files(&root().join(part)))
        .filter(|path| !path.components().any(|c| c.as_os_str() == "generated"))
        .filter(|path| first_line(path).is_none())
        .map(|path| path.display().to_string())
        .collect();
    assert!(
        silent.is_empty(),
        "no opening //! line:\n{}",
        silent.join("\n")
    );
}

/// A row of the README's map: `` | `path` | text | ``. The text is the file's first `//!` line; a directory is spoken for
/// by its `mod.rs` or `lib.rs`. Rows about anything else (a crate's Cargo.toml, perf/) need only exist.
#[test]
fn the_map_in_the_readme_is_true() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let wrong: Vec<String> = map_rows(&readme)
        .filter_map(|(path, text)| {
            let full = root().join(&path);
            if !full.exists() {
                return Some(format!("{path}: no such file"));
            }
            let opening = [
                full.clone(),
                full.join("mod.rs"),
                full.join("src/lib.rs"),
                full.join("lib.rs"),
            ]
            .into_iter()
            .filter(|file| file.extension().is_some_and(|e| e == "rs"))
            .find_map(|file| first_line(&file))?;
            (opening != text)
                .then(|| format!("{path}: the README says {text:?}, the file {opening:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn map_rows(readme: &str) -> impl Iterator<Item = (String, String)> {
    readme
        .lines()
        .skip_while(|line| !(line.starts_with("##") && line.to_lowercase().contains("map")))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| {
            let mut cells = line.strip_prefix('|')?.splitn(3, '|');
            let path = cells.next()?.trim().strip_prefix('`')?.strip_suffix('`')?;
            let text = cells.next()?.trim();
            Some((path.to_owned(), text.to_owned()))
        })
}

#[test]
fn map_rows_are_found_under_their_heading_only() {
    let readme = "| `no` | x |\n## Map\n| path | what |\n|---|---|\n| `engine/src/rng.rs` | A generator. |\n## Next\n| `no` | y |\n";
    let rows: Vec<_> = map_rows(readme).collect();
    assert_eq!(
        rows,
        [("engine/src/rng.rs".to_owned(), "A generator.".to_owned())]
    );
}

fn first_line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().next()?.strip_prefix("//! ")?.to_owned())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(directory) else {
        return found;
    };
    for entry in entries {
        let path = entry.expect("a directory of this project").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

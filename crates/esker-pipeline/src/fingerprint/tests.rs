//! Files in, hashes out.

use std::os::unix::fs::symlink;

use jiff::Timestamp;

use super::*;

fn define(line: &str) -> Definition {
    let text = format!(
        "project.name = \"p\"\n[source.f]\nfile = \"data/f.csv\"\noutput = \"raw/f\"\n\
         [stage.s]\ninput = \"raw/f\"\noutput = \"b/b\"\nrun = [\"sh\", \"clean.sh\", \"/etc/passwd\", \"link\"]\n{line}\n"
    );
    let (definition, defects) = Definition::parse(&text, Timestamp::now());
    definition.unwrap_or_else(|| panic!("{defects:?}"))
}

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["data", "lib/deep", "lib/__pycache__"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    for file in ["clean.sh", "lib/a.py", "lib/deep/b.py"] {
        fs::write(dir.path().join(file), file).unwrap();
    }
    symlink("/etc/hostname", dir.path().join("link")).unwrap();
    dir
}

fn names(dir: &Path, line: &str) -> Vec<String> {
    let definition = define(line);
    let files = code_files(dir, &definition.stages[0].program);
    files.iter().map(|path| path.display().to_string()).collect()
}

#[test]
fn code_is_what_the_command_names_inside_the_project() {
    let dir = project();
    assert_eq!(names(dir.path(), ""), ["clean.sh"]);
    let listed = names(dir.path(), "code = [\"lib\", \"gone.py\"]");
    assert_eq!(listed, ["gone.py", "lib/a.py", "lib/deep/b.py"]);
}

#[test]
fn what_a_program_writes_beside_its_code_is_no_code() {
    let dir = project();
    let definition = define("code = [\"lib\"]");
    let mut prints = Fingerprints::default();
    let before = prints.take(dir.path(), &definition);
    fs::write(dir.path().join("lib/__pycache__/a.pyc"), "x").unwrap();
    fs::write(dir.path().join("lib/.a.py.swp"), "x").unwrap();
    assert_eq!(prints.take(dir.path(), &definition), before);
    fs::write(dir.path().join("lib/deep/b.py"), "changed").unwrap();
    assert_ne!(prints.take(dir.path(), &definition), before);
}

#[test]
fn changes_within_one_tick_are_seen() {
    let dir = project();
    let definition = define("");
    let mut prints = Fingerprints::default();
    let path = dir.path().join("data/f.csv");
    assert_eq!(prints.take(dir.path(), &definition)["f"].file, None);
    for content in ["one", "two", "one"] {
        fs::write(&path, content).unwrap();
        let hash = prints.take(dir.path(), &definition)["f"].file.clone();
        assert_eq!(hash, Some(sha256(content.as_bytes())));
    }
}

#[test]
fn a_file_too_large_is_not_read() {
    let dir = project();
    let path = dir.path().join("data/f.csv");
    std::fs::File::create(&path).unwrap().set_len(FILE_MAX + 1).unwrap();
    let hash = Fingerprints::default().of_source(&path).unwrap();
    assert!(hash.starts_with(&format!("{} bytes", FILE_MAX + 1)), "{hash}");
}

#[test]
fn folders_are_those_of_the_files() {
    let dir = project();
    let found = folders(dir.path(), &define("code = [\"lib\"]"));
    let names = ["", "data", "lib", "lib/deep"].map(|name| dir.path().join(name));
    let expected: BTreeSet<PathBuf> =
        names.into_iter().map(|path| path.components().collect()).collect();
    assert_eq!(found, expected);
}

//! What the tests need on this machine, installed when missing, each with a word about it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The browsers the tests can drive, in the order they are looked for.
const BROWSERS: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// What the tests' own Python programs import, and a server that speaks S3.
const PYTHON_PACKAGES: [&str; 10] = [
    "pyzmq",
    "blake3",
    "zstandard",
    "openpyxl",
    "moto[s3]",
    "flask",
    "flask-cors",
    "schemathesis",
    "prometheus_client",
    "gql[aiohttp]",
];

/// Taps that the tests run, each in a folder of its own: their needs do not go together.
const TAPS: [(&str, &str); 2] = [("tap-jira", "2.6.0"), ("tap-jsonl", "0.3.1")];

/// The database servers that the tests run, by a program of each, and Debian's packages of them.
const DATABASES: [(&str, &str); 2] =
    [("/usr/lib/postgresql/*/bin/initdb", "postgresql"), ("/usr/sbin/mariadbd", "mariadb-server")];

/// Where what was found or installed lies.
pub(crate) struct Tools {
    /// The browser's program.
    pub(crate) browser: PathBuf,
    /// A folder for `PYTHONPATH`.
    pub(crate) python_path: PathBuf,
    /// A folder with one for each tap.
    pub(crate) taps: PathBuf,
    /// Consul's program.
    pub(crate) consul: PathBuf,
    /// What was installed just now, for the summary.
    pub(crate) installed: Vec<String>,
}

/// Finds every tool, installing what is missing.
pub(crate) fn ensure(root: &Path) -> Result<Tools> {
    let mut installed = Vec::new();
    for component in ["fmt", "clippy"] {
        if !works("cargo", &[component, "--version"]) {
            let name = if component == "fmt" { "rustfmt" } else { component };
            install(name, "rustup", &["component", "add", name], &mut installed)?;
        }
    }
    if !works("npm", &["--version"]) {
        bail!(
            "npm is missing; the page is built and tested with Node 20.19 or newer\n\
             hint: install Node from https://nodejs.org or with `apt-get install nodejs npm`"
        );
    }
    if !works("git", &["--version"]) {
        install_package("git", "the tests read the store with it", &mut installed)?;
    }
    if !works("git", &["lfs", "version"]) {
        install_package("git-lfs", "the tests read large contents with it", &mut installed)?;
    }
    if !works("cargo", &["deny", "--version"]) {
        // It reads for a moment what takes minutes to optimise.
        let arguments = ["install", "cargo-deny", "--locked", "--debug"];
        install("cargo-deny", "cargo", &arguments, &mut installed)?;
    }
    let python_path = python(root, &mut installed)?;
    let taps = taps(root, &mut installed)?;
    for (program, package) in DATABASES {
        if !works("sh", &["-c", &format!("ls {program}")]) {
            install_package(package, "sources read databases", &mut installed)?;
        }
    }
    if !works("pkg-config", &["--version"]) {
        install_package("pkg-config", "programs in C find the library by it", &mut installed)?;
    }
    if !works("faketime", &["--version"]) {
        install_package("faketime", "engines are tested with clocks that jump", &mut installed)?;
    }
    if !works("dig", &["-v"]) {
        install_package("bind9-dnsutils", "workers are looked up by their names", &mut installed)?;
    }
    let consul = consul(root, &mut installed)?;
    if browser().is_none() {
        install_package("chromium", "the page is tested in it", &mut installed)?;
    }
    let browser = browser().context("chromium was installed, and yet is not in PATH")?;
    Ok(Tools { browser, python_path, taps, consul, installed })
}

fn python(root: &Path, installed: &mut Vec<String>) -> Result<PathBuf> {
    let path = root.join("target/test-tools/python");
    const IMPORTS: &str = "import zmq, blake3, zstandard, openpyxl, moto.server, schemathesis, prometheus_client, gql.transport.aiohttp_websockets";
    let imports = |path: &Path| {
        let mut python = Command::new("python3");
        python.args(["-c", IMPORTS]).env("PYTHONPATH", path);
        quiet(&mut python)
    };
    if !works("python3", &["--version"]) {
        install_package("python3", "clients in other languages are tested", installed)?;
    }
    if imports(&path) {
        return Ok(path);
    }
    pip(installed)?;
    std::fs::create_dir_all(&path)?;
    let target = path.to_str().context("the workspace's path is not UTF-8")?;
    let mut arguments = vec!["-m", "pip", "install", "--quiet", "--target", target];
    arguments.extend(PYTHON_PACKAGES);
    install("pyzmq, moto, schemathesis and others", "python3", &arguments, installed)?;
    if !imports(&path) {
        bail!(
            "pyzmq, moto, schemathesis and others were installed to {target}, and yet python3 cannot import them"
        );
    }
    Ok(path)
}

fn pip(installed: &mut Vec<String>) -> Result<()> {
    if works("python3", &["-m", "pip", "--version"]) {
        return Ok(());
    }
    install_package("python3-pip", "it installs what Python programs need", installed)
}

fn taps(root: &Path, installed: &mut Vec<String>) -> Result<PathBuf> {
    let path = root.join("target/test-tools/taps");
    for (name, version) in TAPS {
        let target = path.join(name);
        if target.join("bin").join(name).is_file() {
            continue;
        }
        pip(installed)?;
        let target = target.to_str().context("the workspace's path is not UTF-8")?;
        let wanted = format!("{name}=={version}");
        let arguments = ["-m", "pip", "install", "--quiet", "--target", target, &wanted];
        install(name, "python3", &arguments, installed)?;
    }
    Ok(path)
}

/// Consul of the release of Debian that had it last. The machine's own sources say where Debian is, unless only its
/// archive has that release by now. The package is fetched with lists of its own and laid into a folder, so that
/// nothing else ever comes from that release.
const CONSUL: &str = r#"
set -eu
rm -rf "$1"
mkdir -p "$1/apt/lists/partial" "$1/apt/cache/archives/partial"
cd "$1/apt"
apt() {
    apt-get -q -o Dir::Etc::sourcelist="$PWD/bullseye.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$PWD/lists" \
        -o Dir::Cache="$PWD/cache" -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" "$@"
}
own=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' 'Created-By: Packages' |
    awk '$2 == "Debian" && $1 !~ /security/ && !seen { print $1; seen = 1 }')
key=/usr/share/keyrings/debian-archive-keyring.gpg
for place in $own http://archive.debian.org/debian; do
    echo "deb $([ ! -f $key ] || echo "[signed-by=$key]") $place bullseye main" > bullseye.list
    apt update && apt download consul && break
done
dpkg-deb -x consul_*.deb "$1"
rm -rf "$1/apt"
"#;

fn consul(root: &Path, installed: &mut Vec<String>) -> Result<PathBuf> {
    let folder = root.join("target/test-tools/consul");
    let own = folder.join("usr/bin/consul");
    for program in [own.as_path(), Path::new("consul")] {
        if works(&program.to_string_lossy(), &["version"]) {
            return Ok(program.to_owned());
        }
    }
    println!("consul is missing: clusters are tested with it");
    let target = folder.to_str().context("the workspace's path is not UTF-8")?;
    install("consul", "sh", &["-c", CONSUL, "sh", target], installed).context(
        "cannot install consul from Debian's bullseye; put any `consul` into the PATH and run this again",
    )?;
    Ok(own)
}

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let candidates = BROWSERS.iter().flat_map(|name| folders.iter().map(move |f| f.join(name)));
    candidates.into_iter().find(|program| program.is_file())
}

/// Installs a package of the operating system, as root or through sudo.
fn install_package(name: &str, why: &str, installed: &mut Vec<String>) -> Result<()> {
    println!("{name} is missing: {why}");
    let script = format!(
        "export DEBIAN_FRONTEND=noninteractive; S=; [ \"$(id -u)\" = 0 ] || S='sudo -n'; \
         $S apt-get update -q && $S apt-get install -q -y --no-install-recommends {name}"
    );
    install(name, "sh", &["-c", &script], installed)
        .with_context(|| format!("cannot install {name}; install it by hand and run this again"))
}

fn install(
    name: &str,
    program: &str,
    arguments: &[&str],
    installed: &mut Vec<String>,
) -> Result<()> {
    let shown: Vec<&str> = arguments.iter().filter_map(|text| text.trim().lines().next()).collect();
    println!("installing {name}: {program} {}", shown.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("installing {name} failed: {program} ended with {status}");
    }
    installed.push(name.to_owned());
    Ok(())
}

fn works(program: &str, arguments: &[&str]) -> bool {
    quiet(Command::new(program).args(arguments))
}

fn quiet(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

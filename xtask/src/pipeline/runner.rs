use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Instant;

use anyhow::{Context, bail};

use super::binaries::Binaries;
use super::child::Attention;
use super::command_line::shell;
use super::digest::{Files, Known};
use super::inputs::Inputs;
use super::plan::{Standing, Verdict, Wish, outputs, standing};
use super::profile::{Profile, Settings, run_name};
use super::report::{Title, report};
use super::run_folder::{Lock, RunFolder};
use super::stage::{Leftovers, Stage};
use super::stamp::{Found, Stamp, State};
use super::time::duration;
use super::{PipelineArgs, StageName};
use crate::process::{root, say};

/// Puts the stages together from inputs, settings and the run's folder.
type Drawing = fn(&Inputs, &Settings, &RunFolder) -> Vec<Stage>;

/// A pipeline with all that it needs.
struct Pipeline<'a> {
    args: &'a PipelineArgs,
    run: RunFolder,
    binaries: Binaries,
    stages: Vec<Stage>,
}

/// How a pipeline, or a stage of it, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    /// A stage failed or was interrupted; the code is passed on.
    Stopped(u8),
}

pub(super) fn run(args: &PipelineArgs, drawing: Drawing) -> ExitCode {
    match prepare(args, drawing) {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Stopped(code)) => ExitCode::from(code),
        Err(error) => {
            say(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn prepare(args: &PipelineArgs, drawing: Drawing) -> anyhow::Result<End> {
    let args = &args.clone().seen_from(&root())?;
    // Commands and stamps have paths relative to the workspace, wherever it was called from.
    std::env::set_current_dir(root())?;
    let profile = Profile::load(&args.profile)?;
    let settings = profile.settings(args.fast);
    let name = run_name(&args.profile, args.fast);
    let run = args.out.clone().unwrap_or_else(|| Path::new("runs").join(&name));
    let run = RunFolder::new(run);
    say(format!("{name}: {}\n", profile.description.trim()));
    let inputs = Inputs::new(&profile, &settings, args)?;
    let stages = drawing(&inputs, &settings, &run);
    let binaries = Binaries::new(args.bin_dir.as_deref())?;
    let pipeline = Pipeline { args, run, binaries, stages };
    if args.dry_run {
        return pipeline.say_what_would_run();
    }
    pipeline.run.create()?;
    let mut lock = pipeline.run.lock()?;
    fetch_model(&profile, &inputs)?;
    pipeline.binaries.build()?;
    let end = pipeline.run_stages(&mut lock)?;
    if end == End::Done {
        let title = Title {
            profile: &name,
            description: profile.description.trim(),
            command: args.again(),
        };
        let stages: Vec<(&Stage, String)> =
            pipeline.stages.iter().map(|stage| (stage, pipeline.command_line(stage))).collect();
        report(title, &pipeline.run, &stages)?;
    }
    Ok(end)
}

impl Pipeline<'_> {
    fn run_stages(&self, lock: &mut Lock) -> anyhow::Result<End> {
        let mut attention = Attention::new()?;
        for (number, stage) in (1..).zip(&self.stages) {
            let title = format!("stage {number} of {}  {}", self.stages.len(), stage.name.as_str());
            if attention.look() {
                self.say_how_to_go_on(None);
                return Ok(End::Stopped(INTERRUPTED));
            }
            let wish = Wish::of(stage.name, self.args);
            if wish == Wish::LeftOut || wish == Wish::Given && !self.is_needed(stage) {
                continue;
            }
            if wish == Wish::Given {
                self.check_given(stage, &title)?;
                continue;
            }
            let standing = standing(stage, &self.binaries, &self.run)?;
            if let (Wish::IfChanged, Verdict::Unchanged { seconds }) = (wish, &standing.verdict) {
                say(format!("{title}: unchanged (took {})", duration(*seconds)));
                continue;
            }
            say(format!("\n{title}: {} ({})", stage.purpose, reason(&standing.verdict)));
            match self.run_stage(stage, standing, lock, &mut attention)? {
                (End::Done, seconds) => say(format!("{title}: done in {}", duration(seconds))),
                (End::Stopped(code), seconds) => {
                    let how = if attention.asked_to_end { "interrupted" } else { "failed" };
                    say(format!("\n{title}: {how} after {}, exit code {code}", duration(seconds)));
                    self.say_how_to_go_on(Some(stage));
                    return Ok(End::Stopped(code));
                }
            }
        }
        Ok(End::Done)
    }

    /// Runs a stage, and notes before that it has begun, and after that it is finished.
    fn run_stage(
        &self,
        stage: &Stage,
        Standing { cause, verdict }: Standing,
        lock: &mut Lock,
        attention: &mut Attention,
    ) -> anyhow::Result<(End, f64)> {
        let stamp_path = self.run.stamp(stage.name);
        let earlier = match verdict {
            Verdict::Unfinished { seconds } => Some(seconds),
            _ => None,
        };
        if earlier.is_none() && stage.leftovers != Leftovers::Kept {
            // The stamp goes first: without it, whatever is left counts for nothing.
            gone(fs::remove_file(&stamp_path), &stamp_path)?;
            gone(fs::remove_dir_all(&stage.folder), &stage.folder)?;
        }
        let mut stamp = Stamp {
            stage: stage.name,
            state: State::Begun,
            cause,
            outputs: Files::new(),
            seconds: earlier.unwrap_or(0.0),
        };
        stamp.write(&stamp_path)?;
        let folder = stage.output.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        say(format!("$ {}", self.command_line(stage)));
        let began = Instant::now();
        let mut command = Command::new(self.binaries.path(stage.name));
        command.args(&stage.arguments);
        let handle = lock.handle()?;
        let status = attention
            .run(&mut command, handle, |process| lock.is_held_by(stage.name.as_str(), process))?;
        lock.is_held_by_us()?;
        let seconds = began.elapsed().as_secs_f64();
        stamp.seconds += seconds;
        if status.success() {
            stamp.state = State::Finished;
            stamp.outputs = outputs(stage, &Known::default())?;
        }
        stamp.write(&stamp_path)?;
        let end = if status.success() { End::Done } else { End::Stopped(code(status)) };
        Ok((end, seconds))
    }

    fn command_line(&self, stage: &Stage) -> String {
        let program = self.binaries.path(stage.name).to_string_lossy().into_owned();
        let words: Vec<String> =
            std::iter::once(program).chain(stage.arguments.iter().cloned()).collect();
        shell(&words)
    }

    /// A stage that is not to run must have run; whether it would run again is only said.
    fn check_given(&self, stage: &Stage, title: &str) -> anyhow::Result<()> {
        let found = Found::read(&self.run.stamp(stage.name))?;
        if found.is_none_or(|found| found.stamp.state == State::Begun) {
            bail!(
                "{} is not finished in {}; leave --from and --only out to run it",
                stage.name.as_str(),
                self.run.path.display()
            );
        }
        let why = match standing(stage, &self.binaries, &self.run) {
            Ok(Standing { verdict: Verdict::Anew(why), .. }) => why,
            Ok(_) => return Ok(()),
            Err(error) => format!("{error:#}"),
        };
        say(format!("{title}: taken as it is, and out of date ({why})"));
        Ok(())
    }

    /// Whether a stage that is to run reads what this one wrote.
    fn is_needed(&self, stage: &Stage) -> bool {
        let to_run = |other: &&Stage| Wish::of(other.name, self.args) == Wish::Always;
        let mut inputs = self.stages.iter().filter(to_run).flat_map(|other| &other.inputs);
        inputs.any(|input| input.starts_with(&stage.folder))
    }

    fn say_what_would_run(&self) -> anyhow::Result<End> {
        let mut first: Option<StageName> = None;
        for (number, stage) in (1..).zip(&self.stages) {
            let title = format!("stage {number} of {}  {}", self.stages.len(), stage.name.as_str());
            let wish = Wish::of(stage.name, self.args);
            let verdict = match (wish, first) {
                (Wish::LeftOut | Wish::Given, _) => "left out".to_owned(),
                (_, Some(first)) => {
                    format!("would run if {} changes what it reads", first.as_str())
                }
                (_, None) => match standing(stage, &self.binaries, &self.run) {
                    Ok(Standing { verdict: Verdict::Unchanged { .. }, .. })
                        if wish == Wish::IfChanged =>
                    {
                        "unchanged".to_owned()
                    }
                    Ok(standing) => {
                        first = Some(stage.name);
                        format!("would run ({})", reason(&standing.verdict))
                    }
                    Err(error) => {
                        first = Some(stage.name);
                        format!("would run ({error:#})")
                    }
                },
            };
            say(format!("{title}: {verdict}\n$ {}", self.command_line(stage)));
        }
        Ok(End::Done)
    }

    fn say_how_to_go_on(&self, stage: Option<&Stage>) {
        say(format!("to go on: {}", self.args.again()));
        if let Some(stage) = stage {
            say(format!("this stage alone, by hand: {}", self.command_line(stage)));
        }
    }
}

/// As shells say it of Ctrl-C.
const INTERRUPTED: u8 = 130;

fn reason(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Unchanged { .. } => "asked for",
        Verdict::Unfinished { .. } => "goes on where it was left",
        Verdict::Anew(reason) => reason,
    }
}

/// The exit code of a program; of one that a signal ended, what shells make of it.
fn code(status: ExitStatus) -> u8 {
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    let code = status.code().or(signal.map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).filter(|&code| code > 0).unwrap_or(1)
}

/// What is not there need not be removed.
fn gone(removed: io::Result<()>, path: &Path) -> anyhow::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Brings the profile's model where it is not there yet; that alone needs the network.
fn fetch_model(profile: &Profile, inputs: &Inputs) -> anyhow::Result<()> {
    let Some(model) = &profile.fetch_model else {
        return Ok(());
    };
    if inputs.base_model.exists() {
        return Ok(());
    }
    say(format!("$ cargo xtask fetch-model {model}"));
    let status = Command::new(std::env::current_exe()?).args(["fetch-model", model]).status()?;
    if !status.success() {
        bail!(
            "the base model {} is missing, and fetch-model could not bring it; BASE_MODEL names one that you have",
            inputs.base_model.display()
        );
    }
    Ok(())
}

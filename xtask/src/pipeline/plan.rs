use anyhow::Context;

use super::binaries::Binaries;
use super::command_line::shell;
use super::digest::{Files, Known, Which, digest_files};
use super::environment;
use super::run_folder::RunFolder;
use super::stage::{Leftovers, Stage};
use super::stamp::{Cause, Found, State, change_of_files};
use super::{PipelineArgs, StageName};

/// What a person wants of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// To run where something has changed.
    IfChanged,
    /// To run in any case.
    Always,
    /// To stay as it is, for later stages to read.
    Given,
    /// To stay as it is.
    LeftOut,
}

impl Wish {
    pub(super) fn of(stage: StageName, args: &PipelineArgs) -> Self {
        match (args.from, args.only) {
            (_, Some(only)) if stage == only => Self::Always,
            (_, Some(only)) if stage < only => Self::Given,
            (_, Some(_)) => Self::LeftOut,
            (Some(from), None) if stage >= from => Self::Always,
            (Some(_), None) => Self::Given,
            (None, None) => Self::IfChanged,
        }
    }
}

/// How a stage stands.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) cause: Cause,
    pub(super) verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Nothing has changed since it was finished.
    Unchanged { seconds: f64 },
    /// It was begun with the same inputs and settings, and goes on.
    Unfinished { seconds: f64 },
    /// It must begin anew, for this reason.
    Anew(String),
}

/// Looks at a stage's inputs, settings and outputs.
///
/// # Errors
/// Inputs that are not there.
pub(super) fn standing(
    stage: &Stage,
    binaries: &Binaries,
    run: &RunFolder,
) -> anyhow::Result<Standing> {
    let found = Found::read(&run.stamp(stage.name))?;
    let known = found.as_ref().map(Found::known).unwrap_or_default();
    let cause = cause(stage, binaries, run, &known)?;
    let Some(Found { stamp, .. }) = &found else {
        return Ok(Standing { cause, verdict: Verdict::Anew("it has not run yet".to_owned()) });
    };
    let verdict = match (cause.change_since(&stamp.cause), stamp.state) {
        (Some(change), _) => Verdict::Anew(change),
        (None, State::Begun) if stage.leftovers == Leftovers::Removed => {
            Verdict::Anew("it did not end".to_owned())
        }
        (None, State::Begun) => Verdict::Unfinished { seconds: stamp.seconds },
        (None, State::Finished) => match change_of_outputs(stage, &stamp.outputs, &known) {
            Some(change) => Verdict::Anew(change),
            None => Verdict::Unchanged { seconds: stamp.seconds },
        },
    };
    Ok(Standing { cause, verdict })
}

/// What a stage wrote, as it is now.
pub(super) fn outputs(stage: &Stage, known: &Known) -> anyhow::Result<Files> {
    digest_files(&stage.folder, Which::Results, known)
}

/// What became of the files that a stage wrote; others beside them do not matter.
fn change_of_outputs(stage: &Stage, written: &Files, known: &Known) -> Option<String> {
    let mut now = match outputs(stage, known) {
        Ok(now) => now,
        Err(error) => return Some(format!("{error:#}")),
    };
    now.retain(|path, _| written.contains_key(path));
    change_of_files(written, &now)
}

fn cause(
    stage: &Stage,
    binaries: &Binaries,
    run: &RunFolder,
    known: &Known,
) -> anyhow::Result<Cause> {
    let program = binaries.existing(stage.name)?;
    let mut inputs = Files::new();
    for path in &stage.inputs {
        let which = if path.starts_with(&run.path) { Which::ForTheNext } else { Which::All };
        let files = digest_files(path, which, known);
        inputs.extend(files.with_context(|| format!("what {} reads", stage.name.as_str()))?);
    }
    let mut words = vec![stage.name.as_str().to_owned()];
    words.extend(stage.arguments.iter().cloned());
    Ok(Cause {
        command: shell(&words),
        program: digest_files(&program, Which::All, known)?,
        environment: environment::seen_by(stage.name)?,
        inputs,
    })
}

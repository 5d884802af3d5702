//! A checked run: model, trainer, logs, and what is left in the end.

mod digests;
mod errors;
mod finish;
mod initial;
mod options;
mod process_memory;
mod progress;
mod run_log;
mod samples;
mod signals;
mod text;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use causal_lm::CausalLm;
use causal_lm::ops::DecoderBackend;
use collective::Collective;
use lora_train::{Digests, End, Training, train};
use model_cli::{OnBackend, load_model, on_backend};
use run_manifest::Run;
use stage_cli::Stage;

use crate::check::{Checked, Data};
use crate::config::SftConfig;
use digests::Inputs;
use errors::with_train_hint;
use finish::finish;
use run_log::RunLog;
use text::Text;

/// What a shell takes for the end by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Trains, and writes the result.
pub(crate) fn run(
    stage: &Stage,
    config: &SftConfig,
    checked: Checked,
    data: Data,
    collective: &mut Collective,
) -> anyhow::Result<ExitCode> {
    on_backend(checked.device, Work { stage, config, checked, data, collective })
}

struct Work<'a> {
    stage: &'a Stage,
    config: &'a SftConfig,
    checked: Checked,
    data: Data,
    collective: &'a mut Collective,
}

impl OnBackend for Work<'_> {
    type Output = ExitCode;

    fn run<B: DecoderBackend>(self, device: &B::Device) -> anyhow::Result<ExitCode> {
        let Self { stage, config, checked, data, collective } = self;
        let is_first = collective.rank() == 0;
        let settings = serde_json::to_value(config)?;
        let mut run = stage.begin(env!("CARGO_PKG_VERSION"), &settings)?;
        run.set_seed(config.seed);
        if is_first {
            let out = &config.out;
            fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
            stage.log_to(out, &run)?;
        }
        let text = Text::of(config, &checked);
        let inputs = Inputs::read(config, &data)?;
        let digests = inputs.digests(config);
        let Digests { config: settings_digest, data: data_digest, model: model_digest } = &digests;
        let texts = [
            ("settings", Some(settings_digest)),
            ("data", data_digest.as_ref()),
            ("base model", model_digest.as_ref()),
        ];
        for (what, digest) in texts {
            collective.agree(what, digest.map_or(&[], |digest| digest.as_bytes()))?;
        }

        let load_options = options::load_options(config, &checked);
        let mut model: CausalLm<B> =
            load_model(stage, Path::new(&config.base_model), &load_options, device)?;
        initial::prepare(&mut model, config, &checked.new_tokens)?;
        let part = options::trained_part(config, &checked)?;
        let train_options = options::train_options(config, data.steps, collective.world_size());
        let finder = text.as_ref().and_then(Text::action_finder);

        let stop = Arc::new(AtomicBool::new(false));
        signals::listen(&stop)?;
        if collective.world_size() > 1 {
            signals::say_where_to_go_on(collective.rank(), &config.out)?;
        }
        let done = checked.resume.as_ref().map_or(0, |found| found.state.step);
        if let (true, Some(text)) = (is_first, &text) {
            // Beside the checkpoints, which have none of it themselves.
            text.write(&config.out.join("prompt"))?;
        }
        let mut log = match is_first {
            true => {
                let samples =
                    samples::Samples::new(config, text.as_ref(), data.validation.as_ref())?;
                RunLog::begin(stage, config, data.steps, done, samples, Arc::clone(&stop))?
            }
            false => RunLog::silent(),
        };
        // What has been JSON once can be JSON again.
        let manifest = || {
            let begun = Run::begin(run.stage(), env!("CARGO_PKG_VERSION"), &settings);
            begun.unwrap_or_else(|_| unreachable!("the settings have a JSON form"))
        };
        let training = Training {
            model: &mut model,
            part: &part,
            rows: &data.train,
            validation: data.validation.as_ref(),
            options: &train_options,
            finder: finder.as_ref(),
            collective,
            folder: &config.out,
            manifest: &manifest,
            digests,
            resume: checked.resume,
            stop: &stop,
        };
        let outcome = train(training, &mut log);
        let outcome = log.end(outcome)?;
        let outcome = with_train_hint(outcome, config)?;
        if outcome.end == End::Stopped {
            if is_first {
                tracing::warn!(
                    "stopped after step {}; `--resume auto` goes on from there",
                    outcome.state.step
                );
            }
            return Ok(ExitCode::from(INTERRUPTED));
        }
        if is_first {
            inputs.note(&mut run);
            finish(stage, config, run, &mut model, &part, text.as_ref(), &load_options, &outcome)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

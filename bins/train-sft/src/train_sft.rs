use std::process::ExitCode;

use anyhow::{Context, anyhow};
use collective::{Collective, Patience};
use stage_cli::{Hint, Stage};

use crate::args::Args;
use crate::check::{Checked, check};
use crate::config::{ByteSize, RULES, SftConfig};
use crate::effort::measured_rate;
use crate::fit::what_fits;
use crate::machine_memory::machine_memory;
use crate::memory::{Load, training_memory};
use crate::summary::summary;
use crate::train;

/// The stage's work: check everything, say what is to come, and train.
pub(crate) fn train_sft(stage: &Stage, args: &Args) -> anyhow::Result<ExitCode> {
    let config: SftConfig = stage.config_with(&RULES, &args.flags())?;
    if args.print_config {
        stage.print(serde_json::to_string_pretty(&config)?);
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(threads) = args.common.threads {
        cpu_kernels::set_threads(usize::from(threads));
    }
    let mut collective = Collective::start(Patience::default())?;
    let is_first = collective.rank() == 0;
    let prepared = prepare(stage, &config, args.dry_run, &collective);
    // What one process finds, all find, unless a machine differs; then each says what it found.
    let mut first_failed = vec![u8::from(prepared.is_err())];
    collective.broadcast(&mut first_failed, 0)?;
    let checked = match prepared {
        Err(error) if !is_first && first_failed == [1] => {
            tracing::debug!("{error:#}");
            collective.finish()?;
            // The launcher ends all others as soon as one fails, and the first has yet to say why.
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            if first_failed == [1] {
                collective.finish()?;
            }
            return Err(error);
        }
        Ok(checked) => checked,
    };
    let code = match (args.dry_run, checked) {
        (true, _) => ExitCode::SUCCESS,
        (false, mut checked) => {
            let data = checked.data.take().context("there is nothing to learn")?;
            // Nothing is written before every process has looked.
            collective.barrier()?;
            train::run(stage, &config, checked, data, &mut collective)?
        }
    };
    collective.finish()?;
    Ok(code)
}

/// Checks everything, and says what is to come.
fn prepare(
    stage: &Stage,
    config: &SftConfig,
    dry_run: bool,
    collective: &Collective,
) -> anyhow::Result<Checked> {
    let is_first = collective.rank() == 0;
    let device = config.device.of_rank(collective.local_rank());
    let checked = check(config, device, dry_run, collective.world_size()).hint(
        "every key and what it may be is documented in configs/sft.yaml; nothing was loaded or written",
    )?;
    let load = load(config, &checked, dry_run);
    let estimate = training_memory(&checked.model, config, load)?;
    let refusal = refusal(config, &checked, load, ByteSize(estimate.total_bytes))?;
    if is_first {
        for note in &checked.notes {
            match note.is_warning {
                true => tracing::warn!("{}", note.text),
                false => tracing::info!("{}", note.text),
            }
        }
        let rate = measured_rate(config.compute_dtype.into());
        stage.print(summary(config, &checked, &estimate, load.sequence, rate));
    }
    match refusal {
        Some(refusal) if !dry_run => Err(anyhow!(refusal)).hint(
            "--dry-run shows what other settings would take; `memory_limit` raises the limit, at the risk of being \
             killed half-way",
        ),
        Some(refusal) => {
            if is_first {
                stage.print(refusal);
            }
            Ok(checked)
        }
        None => Ok(checked),
    }
}

/// What memory must hold. A dry run is sized at `max_length`, whatever the rows; a run by its longest row.
fn load(config: &SftConfig, checked: &Checked, dry_run: bool) -> Load {
    let data = checked.data.as_ref();
    let longest = data.map(|data| {
        let validation = data.validation.as_ref().map_or(0, |rows| rows.longest_row());
        data.train.longest_row().max(validation)
    });
    let sequence = match (dry_run, config.max_length, longest) {
        (true, Some(max_length), _) | (_, Some(max_length), None) => max_length,
        (_, _, Some(longest)) => longest,
        (_, None, None) => checked.model.max_positions,
    };
    let tokens = |data: &crate::check::Data| {
        data.train.tokens() + data.validation.as_ref().map_or(0, |rows| rows.tokens())
    };
    let dense = checked.dense;
    Load {
        dense,
        sequence,
        new_tokens: checked.new_tokens.len(),
        data_tokens: data.map_or(0, tokens),
        place: checked.device.place(config.compute_dtype),
    }
}

/// Why the run does not fit into memory, and what would; `None` where it fits.
fn refusal(
    config: &SftConfig,
    checked: &Checked,
    load: Load,
    needed: ByteSize,
) -> anyhow::Result<Option<String>> {
    let (limit, whose) = match config.memory_limit {
        Some(limit) => (limit, "`memory_limit` allows"),
        None => match (checked.device.memory().map(ByteSize), machine_memory()) {
            (Some(limit), _) => (limit, "the device has"),
            (None, Some(limit)) => (limit, "this machine has"),
            (None, None) => return Ok(None),
        },
    };
    if needed <= limit {
        return Ok(None);
    }
    let mut text = format!("the run does not fit: it takes {needed}, and {whose} {limit}");
    let changes = what_fits(&checked.model, config, load, limit)?;
    if changes.is_empty() {
        text += "\nnothing of batch, length, checkpointing or quantization would make it fit; take a smaller model";
        return Ok(Some(text));
    }
    text += "\nit would fit with";
    for change in changes {
        text += &format!("\n  {} ({})", change.settings.join(", "), change.bytes);
    }
    Ok(Some(text))
}

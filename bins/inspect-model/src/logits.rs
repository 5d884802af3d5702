use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use causal_lm::CausalLm;
use causal_lm::ops::DecoderBackend;
use checkpoint_files::{StoredDtype, TensorSource, write_safetensors};
use cpu_kernels::decoder::Span;
use model_cli::{OnBackend, on_backend};
use stage_cli::{Hint, Stage};

use crate::args::LogitsArgs;
use crate::config::InspectConfig;
use crate::model::load_model;
use crate::source::Source;

/// Positions whose logits are held at once.
const POSITIONS: usize = 128;

/// Writes the logits of rows of ids.
pub(crate) fn run(stage: &Stage, args: &LogitsArgs) -> anyhow::Result<()> {
    let config: InspectConfig = stage.config(&args.flags())?;
    let source = Source::find(stage, &args.model.model)?;
    let rows = read_rows(&args.input_ids)?;
    let device = config.device;
    on_backend(device, Logits { stage, args, config, source, rows })
}

struct Logits<'a> {
    stage: &'a Stage,
    args: &'a LogitsArgs,
    config: InspectConfig,
    source: Source,
    rows: Vec<Vec<u32>>,
}

impl OnBackend for Logits<'_> {
    type Output = ();

    fn run<B: DecoderBackend>(self, device: &B::Device) -> anyhow::Result<()> {
        let Self { stage, args, config, source, rows } = self;
        let model: CausalLm<B> = load_model(stage, &source, &args.model, &config, device)?;
        let (len, vocab_size) = (rows.first().map_or(0, Vec::len), model.config().vocab_size);
        for (index, ids) in rows.iter().enumerate() {
            if let Some(id) = ids.iter().find(|&&id| id as usize >= vocab_size) {
                bail!("row {index} has id {id}, and the model knows {vocab_size}");
            }
        }
        let shape = vec![rows.len(), len, vocab_size];
        let write = |out: &mut dyn Write| {
            rows.iter().try_for_each(|ids| write_logits(&model, ids, out).map_err(io::Error::other))
        };
        let tensor = TensorSource::written("logits", StoredDtype::F32, shape, write);
        write_safetensors(&args.out, [tensor], &BTreeMap::new())?;
        tracing::info!("{} rows of {len} ids to {}", rows.len(), args.out.display());
        Ok(())
    }
}

/// Writes the logits of one row, a few positions at a time.
fn write_logits<B: DecoderBackend>(
    model: &CausalLm<B>,
    ids: &[u32],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let span = Span { start: 0, len: ids.len(), position: 0, slot: 0 };
    let hidden = model.hidden(ids, &[span], None)?;
    for start in (0..ids.len()).step_by(POSITIONS) {
        let part = hidden.clone().narrow(0, start, POSITIONS.min(ids.len() - start));
        let logits = model.logits(part).into_data().convert::<f32>();
        for logit in logits.iter::<f32>() {
            out.write_all(&logit.to_le_bytes())?;
        }
    }
    Ok(())
}

/// Rows of ids, all of one length.
fn read_rows(path: &Path) -> anyhow::Result<Vec<Vec<u32>>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let text = text.hint("--input-ids names a JSON file such as [[1, 2, 3], [4, 5, 6]]")?;
    let rows: Vec<Vec<u32>> = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a list of rows of token ids", path.display()))
        .hint("a row is a list of ids, and the file a list of rows: [[1, 2, 3], [4, 5, 6]]")?;
    let Some(first) = rows.first() else { bail!("{} has no rows", path.display()) };
    if first.is_empty() {
        bail!("row 0 of {} has no ids", path.display());
    }
    match rows.iter().position(|row| row.len() != first.len()) {
        None => Ok(rows),
        Some(at) => Err(anyhow!(
            "row {at} of {} has {} ids, and row 0 has {}",
            path.display(),
            rows[at].len(),
            first.len()
        ))
        .hint("the output is one tensor: run rows of each length by themselves"),
    }
}

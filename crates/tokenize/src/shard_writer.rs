use std::path::Path;

use hf_dataset::{DEFAULT_SHARD_BYTES, Format, SplitWriter};
use rayon::prelude::*;

use crate::fit::fit;
use crate::pack::pack;
use crate::sample::EncodedSample;
use crate::shard_columns::ShardLayout;
use crate::{
    Fit, OnOverflow, Packing, Padding, PromptFormat, Question, RowOptions, Sample, SplitReport,
    TokenizeError,
};

/// Rows of an Arrow batch.
const BATCH_ROWS: usize = 1000;

/// Writes one split as token shards, chunk by chunk.
///
/// The bytes follow from the samples, the format and the options; neither the size of the chunks
/// nor the number of threads changes them. Without packing, a chunk is in memory at a time; with
/// packing, the split's token ids.
pub struct ShardWriter<'a> {
    format: &'a PromptFormat,
    options: RowOptions,
    layout: ShardLayout,
    writer: SplitWriter,
    report: SplitReport,
    /// Examples that wait for a full batch, or for all of the split where it is packed.
    waiting: Vec<EncodedSample>,
}

impl<'a> ShardWriter<'a> {
    /// Begins the split `split` of the data set in `folder`; `weighted` adds a column `weight`.
    ///
    /// # Errors
    /// [`TokenizeError::MaxLength`] for a row that cannot hold a prompt and a target,
    /// [`TokenizeError::Dataset`] where the split cannot be begun.
    pub fn create(
        folder: &Path,
        split: &str,
        format: &'a PromptFormat,
        options: RowOptions,
        weighted: bool,
    ) -> Result<Self, TokenizeError> {
        let RowOptions { max_length, packing, padding, .. } = options;
        if max_length < 2 || i32::try_from(max_length).is_err() {
            return Err(TokenizeError::MaxLength { max_length });
        }
        let layout = ShardLayout {
            packed: packing == Packing::Bfd,
            weighted,
            pad: (padding == Padding::MaxLength).then(|| (max_length, format.pad_id())),
        };
        let writer = SplitWriter::create(
            folder,
            split,
            layout.schema(),
            Format::Arrow,
            DEFAULT_SHARD_BYTES,
        )?;
        let report = SplitReport::new(split, max_length);
        Ok(Self { format, options, layout, writer, report, waiting: Vec::new() })
    }

    /// Encodes `samples` in parallel and appends them in their order.
    ///
    /// # Errors
    /// [`TokenizeError::Record`] for the first sample that cannot be encoded,
    /// [`TokenizeError::Dataset`] where a batch cannot be written.
    pub fn push(&mut self, samples: &[Sample]) -> Result<(), TokenizeError> {
        let fits: Vec<_> = samples
            .par_iter()
            .map(|sample| fit_sample(self.format, sample, self.options))
            .collect();
        for (sample, fit) in samples.iter().zip(fits) {
            if let Some(encoded) = self.take(sample, fit?) {
                self.waiting.push(encoded);
            }
        }
        if !self.layout.packed {
            while self.waiting.len() >= BATCH_ROWS {
                let batch: Vec<_> = self.waiting.drain(..BATCH_ROWS).collect();
                self.write(&batch.iter().map(|sample| vec![sample]).collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }

    /// Completes the split.
    ///
    /// # Errors
    /// [`TokenizeError::Dataset`] where it cannot be written.
    pub fn finish(mut self) -> Result<SplitReport, TokenizeError> {
        let waiting = std::mem::take(&mut self.waiting);
        let rows: Vec<Vec<&EncodedSample>> = if self.layout.packed {
            let lengths: Vec<usize> = waiting.iter().map(|s| s.example.tokens()).collect();
            let rows = pack(&lengths, self.options.max_length).into_iter();
            rows.map(|row| row.into_iter().map(|index| &waiting[index]).collect()).collect()
        } else {
            waiting.iter().map(|sample| vec![sample]).collect()
        };
        for batch in rows.chunks(BATCH_ROWS) {
            self.write(batch)?;
        }
        let Self { writer, mut report, layout, .. } = self;
        writer.finish()?;
        report.complete(layout.packed);
        Ok(report)
    }

    /// Counts a sample, and says what of it goes into the shards.
    fn take(&mut self, sample: &Sample, fit: Fit) -> Option<EncodedSample> {
        let report = &mut self.report;
        let uid = &sample.record.uid;
        let example = match fit {
            Fit::Whole(example) => {
                report.read(uid, example.tokens());
                Some(example)
            }
            Fit::Shortened { example, kept, tokens } => {
                report.read(uid, tokens);
                report.overflowing += 1;
                report.shortened += 1;
                let bytes = sample.record.input.len();
                tracing::debug!(%uid, tokens, kept, bytes, "input shortened");
                Some(example)
            }
            Fit::TooLong { tokens } => {
                report.read(uid, tokens);
                report.overflowing += 1;
                if self.options.on_overflow != OnOverflow::Error {
                    report.dropped += 1;
                }
                tracing::debug!(%uid, tokens, "too long, left out");
                None
            }
        }?;
        report.examples += 1;
        report.tokens += example.tokens() as u64;
        report.target_tokens += example.target.len() as u64;
        let Sample { record, weight } = sample;
        Some(EncodedSample { uid: uid.clone(), action: record.action, weight: *weight, example })
    }

    fn write(&mut self, rows: &[Vec<&EncodedSample>]) -> Result<(), TokenizeError> {
        let batch = self.layout.batch(rows).map_err(|source| TokenizeError::Columns {
            split: self.report.split.clone(),
            source,
        })?;
        self.report.rows += rows.len() as u64;
        Ok(self.writer.write(&batch)?)
    }
}

fn fit_sample(
    format: &PromptFormat,
    sample: &Sample,
    options: RowOptions,
) -> Result<Fit, TokenizeError> {
    let record = &sample.record;
    let shorten = options.on_overflow == OnOverflow::TruncateInput;
    fit(format, &Question::from(record), &record.output, options.max_length, shorten)
        .map_err(|error| error.of_record(&record.uid))
}

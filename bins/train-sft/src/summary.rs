use std::time::Duration;

use causal_lm::estimate::{Estimate, Item};
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, LineStyle, Table};
use indicatif::{HumanCount, HumanDuration};
use lora_train::data::TokenRows;
use model_cli::QuantizationKind;

use crate::check::{Checked, Data};
use crate::config::{AdapterKind, ByteSize, SftConfig};
use crate::effort::operations;

/// What is to come, as a person reads it before training.
pub(crate) fn summary(
    config: &SftConfig,
    checked: &Checked,
    estimate: &Estimate,
    sequence: usize,
    rate: Option<f64>,
) -> String {
    let mut lines = vec![
        format!("base        {}, {}", config.base_model, checked.model.family),
        format!("parameters  {}", HumanCount(estimate.parameters)),
        format!(
            "trainable   {}, {:.3} %{}",
            HumanCount(estimate.trainable_parameters),
            percent(estimate),
            what(config, checked)
        ),
    ];
    match &checked.data {
        None => lines.push("data        none: rows, steps and time are not known".to_owned()),
        Some(data) => lines.extend(data_lines(config, checked, data, rate)),
    }
    if let Some(found) = &checked.resume {
        lines.push(format!(
            "goes on     from {}, after step {}",
            found.path.display(),
            found.state.step
        ));
    }
    lines.push(String::new());
    lines.push(memory_table(estimate));
    lines.push(format!(
        "for a micro-batch of {} × {} tokens, blocks {}",
        config.micro_batch,
        HumanCount(sequence as u64),
        if config.gradient_checkpointing {
            "computed again backward"
        } else {
            "kept for the backward pass"
        }
    ));
    lines.join("\n")
}

fn what(config: &SftConfig, checked: &Checked) -> String {
    if config.adapter == AdapterKind::None {
        return ": all weights".to_owned();
    }
    let base = match config.quantization {
        QuantizationKind::Nf4 if config.double_quantization => "nf4 with double quantization",
        QuantizationKind::Nf4 => "nf4",
        QuantizationKind::Int8 => "int8",
        QuantizationKind::None => "its own precision",
    };
    let tokens = match checked.new_tokens.len() {
        0 => String::new(),
        count => format!(", rows of {count} new tokens"),
    };
    format!(": LoRA of rank {}{tokens}; the base is in {base}", config.lora.r)
}

fn percent(estimate: &Estimate) -> f64 {
    100.0 * estimate.trainable_parameters as f64 / estimate.parameters.max(1) as f64
}

fn data_lines(
    config: &SftConfig,
    checked: &Checked,
    data: &Data,
    rate: Option<f64>,
) -> Vec<String> {
    let Data { train, validation, plan, steps } = data;
    let mut lines = vec![rows("training", train)];
    if let Some(validation) = validation {
        lines.push(rows("validation", validation));
    }
    let of_epoch = plan.steps_per_epoch();
    let epochs = *steps as f64 / of_epoch as f64;
    lines.push(format!(
        "steps       {} of {} rows; {epochs:.2} epochs of {}; warm-up {}",
        HumanCount(*steps),
        HumanCount(plan.step_size() as u64),
        HumanCount(of_epoch),
        HumanCount(config.warmup(*steps))
    ));
    let done = checked.resume.as_ref().map_or(0, |found| found.state.step);
    let left = steps.saturating_sub(done) as f64 / of_epoch as f64;
    let length = train.tokens() as f64 / train.examples().max(1) as f64;
    let (tokens, targets) = (left * train.tokens() as f64, left * train.targets() as f64);
    let work = operations(&checked.model, config, tokens, targets, length);
    let time = match rate {
        None => "how quickly this device computes is not known".to_owned(),
        Some(rate) => {
            let seconds = Duration::try_from_secs_f64(work / rate).unwrap_or(Duration::MAX);
            format!(
                "at least {:#} at the {:.0} GFLOP/s measured for products here",
                HumanDuration(seconds),
                rate / 1e9
            )
        }
    };
    lines.push(format!("time        {}; {time}", flop(work)));
    lines
}

/// Operations in the largest unit that leaves at least 1.
fn flop(operations: f64) -> String {
    let units = [("EFLOP", 1e18), ("PFLOP", 1e15), ("TFLOP", 1e12)];
    let unit = units.into_iter().find(|(_, size)| operations >= *size);
    let (unit, size) = unit.unwrap_or(("GFLOP", 1e9));
    format!("{:.2} {unit}", operations / size)
}

fn rows(name: &str, rows: &TokenRows) -> String {
    let examples = match rows.examples() == rows.rows() {
        true => String::new(),
        false => format!(" with {} examples", HumanCount(rows.examples() as u64)),
    };
    format!(
        "{name:<11} {} rows{examples}, {} tokens, {} targets; the longest row has {}",
        HumanCount(rows.rows() as u64),
        HumanCount(rows.tokens()),
        HumanCount(rows.targets()),
        HumanCount(rows.longest_row() as u64)
    )
}

fn memory_table(estimate: &Estimate) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    table.set_header([Cell::new("memory for"), right("bytes"), right("about")]);
    for Item { name, bytes } in &estimate.items {
        table.add_row(row(name, *bytes));
    }
    table.add_row(row("all together", estimate.total_bytes));
    table.to_string()
}

fn row(name: &str, bytes: u64) -> [Cell; 3] {
    [Cell::new(name), right(&HumanCount(bytes).to_string()), right(&ByteSize(bytes).to_string())]
}

fn right(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

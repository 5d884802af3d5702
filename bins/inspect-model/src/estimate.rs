use causal_lm::estimate::{Estimate, EstimateOptions, Generation, LoraSize, Training, estimate};
use causal_lm::read_config;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, LineStyle, Table};
use indicatif::HumanCount;
use stage_cli::Stage;

use crate::args::{EstimateArgs, FormatArg};
use crate::config::InspectConfig;
use crate::hints::with_load_hint;
use crate::source::Source;

/// Prints what memory a model takes.
pub(crate) fn run(stage: &Stage, args: &EstimateArgs) -> anyhow::Result<()> {
    let config: InspectConfig = stage.config(&args.flags())?;
    let source = Source::find(stage, &args.model.model)?;
    let model = with_load_hint(read_config(source.path()))?;
    let targets = args.lora_targets.clone();
    let training = args.sequence.map(|sequence| Training {
        batch: args.batch,
        sequence,
        gradient_checkpointing: args.gradient_checkpointing,
        logit_rows: args.logit_rows,
    });
    let generation = Generation {
        slots: args.slots,
        capacity: args.context,
        cache: config.kv_cache.into(),
        prefill_chunk: config.prefill_chunk,
    };
    let options = EstimateOptions {
        quantization: config.quantization.with(config.double_quantization),
        dtype: config.dtype.into(),
        lora: args.lora_rank.map(|rank| LoraSize { rank, targets }),
        training,
        generation: training.is_none().then_some(generation),
        place: config.device.place(config.compute_dtype),
    };
    let estimate = estimate(&model, &options)?;
    match args.format {
        FormatArg::Json => stage.print(serde_json::to_string_pretty(&estimate)?),
        FormatArg::Text => stage.print(table(&estimate)),
    }
    Ok(())
}

fn table(estimate: &Estimate) -> String {
    let Estimate { parameters, trainable_parameters, items, total_bytes } = estimate;
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    table.set_header(["memory for", "bytes", "MiB"].map(right));
    for item in items {
        table.add_row(row(item.name, item.bytes));
    }
    table.add_row(row("all together", *total_bytes));
    let mut text = format!("parameters: {}\n", HumanCount(*parameters));
    if *trainable_parameters > 0 {
        text += &format!("trainable:  {}\n", HumanCount(*trainable_parameters));
    }
    text + &table.to_string()
}

fn row(name: &str, bytes: u64) -> [Cell; 3] {
    let mib = bytes as f64 / f64::from(1 << 20);
    [Cell::new(name), right(&HumanCount(bytes).to_string()), right(&format!("{mib:.1}"))]
}

fn right(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

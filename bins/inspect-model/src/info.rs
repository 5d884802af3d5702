use std::collections::BTreeMap;

use causal_lm::estimate::{TensorSize, tensor_sizes};
use causal_lm::{ModelConfig, read_config};
use checkpoint_files::Checkpoint;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, LineStyle, Table};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use stage_cli::Stage;
use thesis_core::StructureTag;
use tokenize::{ModelFiles, PromptFormat};

use crate::args::{FormatArg, InfoArgs};
use crate::hints::with_load_hint;
use crate::source::Source;
use crate::text::{model_files, prompt_format, stop_ids};

/// Names of the files that name a token for a role.
const ROLES: [&str; 4] = ["bos_token", "eos_token", "pad_token", "unk_token"];

/// Prints what a model is.
pub(crate) fn run(stage: &Stage, args: &InfoArgs) -> anyhow::Result<()> {
    let source = Source::find(stage, &args.model)?;
    let config = with_load_hint(read_config(source.path()))?;
    let checkpoint = Checkpoint::open(source.path())?;
    let info = Info {
        model: source.to_string(),
        architecture: Architecture::of(&config),
        parameters: tensor_sizes(&config).iter().map(TensorSize::parameters).sum(),
        files: checkpoint.files().map(|path| path.display().to_string()).collect(),
        tensors: stored(&checkpoint),
        text: text(&source),
    };
    match args.format {
        FormatArg::Json => stage.print(serde_json::to_string_pretty(&info)?),
        FormatArg::Text => stage.print(info.sheet()),
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct Info {
    model: String,
    architecture: Architecture,
    /// Values of all weights; a tied head is not counted again.
    parameters: u64,
    files: Vec<String>,
    /// By stored type.
    tensors: BTreeMap<&'static str, Stored>,
    /// Or why there is no text.
    text: Result<TextInfo, String>,
}

#[derive(Debug, Serialize)]
struct Architecture {
    family: &'static str,
    layers: usize,
    hidden_size: usize,
    intermediate_size: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    vocab_size: usize,
    max_positions: usize,
    tied_head: bool,
    /// Layers that see a window only, and how long it is.
    windows: Option<(usize, usize)>,
}

#[derive(Debug, Default, Serialize)]
struct Stored {
    tensors: u64,
    values: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct TextInfo {
    /// Tokens of the tokenizer, added ones included.
    tokens: usize,
    chat_template: bool,
    end_token: String,
    stop_ids: Vec<u32>,
    /// Tokens that the files name for a role.
    roles: BTreeMap<&'static str, String>,
    /// How many of the tags and actions of an answer are single tokens.
    structure_tokens: (usize, usize),
    notes: Vec<String>,
}

impl Architecture {
    fn of(config: &ModelConfig) -> Self {
        let windows: Vec<usize> = config.layers.iter().filter_map(|layer| layer.window).collect();
        Self {
            family: config.family,
            layers: config.layers.len(),
            hidden_size: config.hidden_size,
            intermediate_size: config.intermediate_size,
            heads: config.heads,
            kv_heads: config.kv_heads,
            head_dim: config.head_dim,
            vocab_size: config.vocab_size,
            max_positions: config.max_positions,
            tied_head: config.tied_head,
            windows: windows.first().map(|&window| (windows.len(), window)),
        }
    }
}

impl TextInfo {
    fn of(files: &ModelFiles, format: &PromptFormat) -> Self {
        let tokenizer = format.tokenizer();
        let has = |token: &&str| tokenizer.token_to_id(token).is_some();
        let role = |role: &&'static str| Some((*role, files.named_token(role)?.to_owned()));
        Self {
            tokens: tokenizer.get_vocab_size(true),
            chat_template: files.chat_template.is_some(),
            end_token: format.end_token().text.clone(),
            stop_ids: stop_ids(files, format),
            roles: ROLES.iter().filter_map(role).collect(),
            structure_tokens: (
                StructureTag::tokens().filter(has).count(),
                StructureTag::tokens().count(),
            ),
            notes: format.notes().iter().map(ToString::to_string).collect(),
        }
    }
}

impl Info {
    fn sheet(&self) -> String {
        let Self { model, architecture: a, parameters, files, tensors, text } = self;
        let mut table = Table::new();
        table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table
            .set_header(["stored as", "tensors", "values", "bytes"].map(|head| right(head.into())));
        for (dtype, stored) in tensors {
            let Stored { tensors, values, bytes } = stored;
            let mut row = vec![Cell::new(dtype)];
            row.extend([tensors, values, bytes].map(|n| right(HumanCount(*n).to_string())));
            table.add_row(row);
        }
        let bytes = tensors.values().map(|stored| stored.bytes).sum();
        let mut lines = vec![
            format!("model       {model}"),
            format!("family      {}", a.family),
            format!("parameters  {}", HumanCount(*parameters)),
            format!(
                "layers      {} of {} with {} heads of {} ({} of keys and values) and {} inside",
                a.layers, a.hidden_size, a.heads, a.head_dim, a.kv_heads, a.intermediate_size
            ),
            format!("vocabulary  {}{}", a.vocab_size, if a.tied_head { ", tied head" } else { "" }),
            format!("positions   {}", a.max_positions),
        ];
        if let Some((layers, window)) = a.windows {
            lines.push(format!("window      {window} tokens in {layers} layers"));
        }
        lines.push(format!("files       {} with {} of tensors", files.len(), HumanBytes(bytes)));
        match text {
            Err(why) => lines.push(format!("tokenizer   none: {why}")),
            Ok(text) => lines.extend(text.lines()),
        }
        lines.join("\n") + "\n\n" + &table.to_string()
    }
}

impl TextInfo {
    fn lines(&self) -> Vec<String> {
        let Self { tokens, chat_template, end_token, stop_ids, roles, structure_tokens, notes } =
            self;
        let (have, of) = structure_tokens;
        let roles: Vec<String> =
            roles.iter().map(|(role, token)| format!("{role} {token}")).collect();
        let mut lines = vec![
            format!("tokenizer   {tokens} tokens; {}", roles.join(", ")),
            format!("template    {}", if *chat_template { "yes" } else { "no" }),
            format!("answers     end with {end_token}; stop ids {stop_ids:?}"),
            format!("structure   {have} of {of} tags and actions are single tokens"),
        ];
        lines.extend(notes.iter().map(|note| format!("note        {note}")));
        lines
    }
}

fn stored(checkpoint: &Checkpoint) -> BTreeMap<&'static str, Stored> {
    let mut by_dtype: BTreeMap<&'static str, Stored> = BTreeMap::new();
    for tensor in checkpoint.tensors() {
        let stored = by_dtype.entry(tensor.dtype.name()).or_default();
        stored.tensors += 1;
        stored.values += tensor.n_values() as u64;
        stored.bytes += tensor.bytes as u64;
    }
    by_dtype
}

/// How the model reads and writes; a model without text is worth a look, too.
fn text(source: &Source) -> Result<TextInfo, String> {
    let files = model_files(source).map_err(|error| format!("{error:#}"))?;
    let format = prompt_format(&files, None).map_err(|error| format!("{error:#}"))?;
    Ok(TextInfo::of(&files, &format))
}

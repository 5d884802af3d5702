//! Records to token ids: chat prompts, structure tokens, loss masks, packing and token shards.
//!
//! A [`PromptFormat`] turns questions into prompts and outputs into targets; training and inference
//! share it. A [`ShardWriter`] writes splits of records as Hugging Face `datasets` opens them.
//!
//! The crate reads a model's files and writes shards; all between is free of input and output.

mod chat_template;
mod control_text;
mod end_token;
mod error;
mod example;
mod fit;
mod generation_blocks;
mod gguf_tokenizer;
mod histogram;
mod load_tokenizer;
mod message;
mod model_files;
mod note;
mod options;
mod pack;
mod prompt_format;
mod prompt_recipe;
mod python_json;
mod python_methods;
mod question;
mod sample;
mod shard_columns;
mod shard_writer;
mod split_report;
mod stop_strings;
mod template_trial;
mod text_tokenizer;
mod token_bytes;
mod token_stream;
mod tokenizer_files;

pub use chat_template::ChatTemplate;
pub use end_token::{EndToken, EndTokenSource};
pub use error::TokenizeError;
pub use example::{Example, IGNORED};
pub use fit::{Fit, fit};
pub use gguf_tokenizer::GgufVocabulary;
pub use histogram::{Histogram, HistogramBar};
pub use message::{Message, Role};
pub use model_files::ModelFiles;
pub use note::Note;
pub use options::{OnOverflow, Packing, Padding, RowOptions, StructureTokens};
pub use pack::pack;
pub use prompt_format::{PromptFormat, PromptOptions};
pub use prompt_recipe::PromptRecipe;
pub use question::{Question, SystemPlace, conversation};
pub use sample::Sample;
pub use shard_writer::ShardWriter;
pub use split_report::SplitReport;
pub use stop_strings::{StopMatch, StopMatcher, StopStrings};
pub use token_bytes::{begins_with_space, token_bytes};
pub use token_stream::{Detokenizer, SpecialTokens, TokenStream};
pub use tokenizer_files::{TokenizerFile, tokenizer_files};

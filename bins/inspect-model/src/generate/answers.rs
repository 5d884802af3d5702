use std::io::{self, Write};

use anyhow::{Context, anyhow};
use causal_lm::generate::{AnswerId, Event, Finish, Happening, Token};
use serde_json::{Value, json};
use stage_cli::Stage;
use tokenize::{Detokenizer, SpecialTokens, StopMatcher, StopStrings, TokenStream};

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// The text of the only answer, as it comes.
    Stream,
    /// The texts one after the other, with a line before each.
    Text,
    /// A line of JSON for each answer.
    Json,
}

/// The answers' texts on their way.
pub(super) struct Answers {
    answers: Vec<TextAnswer>,
    output: Output,
}

struct TextAnswer {
    id: AnswerId,
    seed: u64,
    stream: TokenStream,
    stops: StopMatcher,
    tokens: Vec<Token>,
    text: String,
    finish: Option<&'static str>,
}

impl Answers {
    pub(super) fn new(
        ids: &[AnswerId],
        seed: u64,
        detokenizer: &Detokenizer,
        stops: &StopStrings,
        output: Output,
    ) -> Self {
        let answer = |(index, &id)| TextAnswer {
            id,
            seed: seed.wrapping_add(index as u64),
            stream: detokenizer.stream(SpecialTokens::Skip),
            stops: stops.matcher(),
            tokens: Vec::new(),
            text: String::new(),
            finish: None,
        };
        Self { answers: ids.iter().enumerate().map(answer).collect(), output }
    }

    /// Takes an event; returns the answer where its text is at a stop string.
    pub(super) fn take(&mut self, event: Event) -> anyhow::Result<Option<AnswerId>> {
        let Event { answer: id, happening } = event;
        let (index, answer) = self
            .answers
            .iter_mut()
            .enumerate()
            .find(|(_, answer)| answer.id == id)
            .ok_or_else(|| anyhow!("an event of an answer that nobody asked for"))?;
        if answer.finish.is_some() {
            return Ok(None);
        }
        let before = answer.text.len();
        let mut stopped = None;
        match happening {
            Happening::Token(token) => {
                let found = answer.stops.push(answer.stream.push(token.id));
                answer.text.push_str(found.text);
                if found.stop.is_some() {
                    answer.finish = Some("stop_text");
                    stopped = Some(id);
                }
                answer.tokens.push(token);
            }
            Happening::Finished(finish) => {
                let found = answer.stops.push(answer.stream.finish());
                answer.text.push_str(found.text);
                if found.stop.is_none() {
                    answer.text.push_str(answer.stops.finish());
                }
                answer.finish = Some(name(&finish));
            }
            Happening::Failed(error) => {
                return Err(error).with_context(|| format!("answer {}", index + 1));
            }
        }
        if self.output == Output::Stream {
            let mut stdout = io::stdout().lock();
            // A reader that has gone away is no error.
            let _ = stdout.write_all(&answer.text.as_bytes()[before..]);
            let _ = stdout.flush();
        }
        Ok(stopped)
    }

    /// Prints what was not printed as it came.
    pub(super) fn print(&self, stage: &Stage, log_probs: bool) -> anyhow::Result<()> {
        for (index, answer) in self.answers.iter().enumerate() {
            match self.output {
                Output::Stream => stage.print(""),
                Output::Text => {
                    stage.print(format!("--- answer {}, seed {} ---", index + 1, answer.seed));
                    stage.print(&answer.text);
                }
                Output::Json => {
                    stage.print(serde_json::to_string(&answer.json(index, log_probs))?);
                }
            }
        }
        Ok(())
    }
}

impl TextAnswer {
    fn json(&self, index: usize, log_probs: bool) -> Value {
        let Self { seed, tokens, text, finish, .. } = self;
        let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
        let mut line = json!({
            "answer": index + 1, "seed": seed, "text": text, "finish": finish, "ids": ids,
        });
        if log_probs {
            line["log_probs"] = tokens.iter().map(|token| json!(token.log_prob)).collect();
            line["top"] = tokens.iter().map(|token| json!(token.top)).collect();
        }
        line
    }
}

fn name(finish: &Finish) -> &'static str {
    match finish {
        Finish::StopToken(_) => "stop_token",
        Finish::Length => "length",
        Finish::Constraint => "grammar",
        Finish::Cancelled => "cancelled",
    }
}

use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value, context};
use serde_json::Map;
use thesis_core::AsOfDate;

use crate::generation_blocks::without_generation_blocks;
use crate::python_json::PythonJson;
use crate::python_methods::python_methods;
use crate::{Message, TokenizeError};

const NAME: &str = "chat_template";

/// A model's chat template, rendered as transformers renders it.
///
/// One difference is meant: `strftime_now` tells the record's as-of date at midnight, not the
/// clock's. A prompt is so the same on every day, and does not tell the model of a later date
/// than its figures are from.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    variables: Map<String, serde_json::Value>,
}

impl ChatTemplate {
    /// Compiles a template. `variables` are in scope beside the messages: `bos_token`, `eos_token`
    /// and what else the template knows, such as `enable_thinking`.
    ///
    /// # Errors
    /// [`TokenizeError::TemplateSyntax`] where it does not compile.
    pub fn new(
        source: &str,
        variables: Map<String, serde_json::Value>,
    ) -> Result<Self, TokenizeError> {
        let refuse = |source| TokenizeError::TemplateSyntax { source };
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(refuse)?);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_unknown_method_callback(python_methods);
        environment.set_formatter(|out, state, value| match value.kind() {
            ValueKind::Bool => Ok(out.write_str(if value.is_true() { "True" } else { "False" })?),
            ValueKind::None => Ok(out.write_str("None")?),
            _ => minijinja::escape_formatter(out, state, value),
        });
        environment.add_filter("tojson", to_json);
        environment.add_function("raise_exception", raise_exception);
        environment.add_template_owned(NAME, without_generation_blocks(source)).map_err(refuse)?;
        Ok(Self { environment, variables })
    }

    /// Renders a conversation; with `add_generation_prompt` up to where the assistant's answer
    /// begins.
    ///
    /// # Errors
    /// [`TokenizeError::TemplateRender`] where the template raises an exception or fails.
    pub fn render(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
        today: AsOfDate,
    ) -> Result<String, TokenizeError> {
        let strftime_now = Value::from_function(move |format: &str| strftime(today, format));
        let scope = context! {
            messages => Value::from(Serde(messages)),
            tools => (),
            documents => (),
            add_generation_prompt,
            strftime_now,
            ..Value::from(Serde(&self.variables))
        };
        let template = self.environment.get_template(NAME);
        template.and_then(|template| template.render(scope)).map_err(|source| {
            let roles: Vec<_> = messages.iter().map(|message| message.role.as_str()).collect();
            TokenizeError::TemplateRender { roles: roles.join(", "), source }
        })
    }
}

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// `tojson` as transformers defines it: no HTML escapes, and `json.dumps`' own options.
fn to_json(value: &Value, options: Kwargs) -> Result<String, Error> {
    let style = PythonJson {
        indent: options.get("indent")?,
        separators: match options.get::<Option<Vec<String>>>("separators")?.as_deref() {
            None => None,
            Some([item, key]) => Some((item.clone(), key.clone())),
            Some(_) => {
                let message = "tojson: separators are a pair";
                return Err(Error::new(ErrorKind::InvalidOperation, message));
            }
        },
        ensure_ascii: options.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false),
        sort_keys: options.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
    };
    options.assert_all_used()?;
    let failed = |source| {
        Error::new(ErrorKind::BadSerialization, "tojson: not a JSON value").with_source(source)
    };
    let value = serde_json::to_value(value).map_err(failed)?;
    style.write(&value).map_err(failed)
}

fn strftime(today: AsOfDate, format: &str) -> Result<String, Error> {
    let refuse = || {
        let message = format!("strftime_now: unknown format `{format}`");
        Error::new(ErrorKind::InvalidOperation, message)
    };
    let items: Vec<Item<'_>> = StrftimeItems::new(format).collect();
    if items.contains(&Item::Error) {
        return Err(refuse());
    }
    let midnight = today.day().and_time(chrono::NaiveTime::MIN);
    let mut text = String::new();
    write!(text, "{}", midnight.format_with_items(items.iter())).map_err(|_| refuse())?;
    Ok(text)
}

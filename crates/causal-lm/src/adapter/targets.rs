//! Which modules a setting means, by the rules of PEFT.

use regex::Regex;
use serde_json::Value;

use super::target_modules::ends_in;
use crate::LoadError;
use crate::config::Fields;

/// A setting that names modules: `target_modules` or `exclude_modules`.
#[derive(Debug)]
pub(super) enum ModuleNames {
    /// All projections of the blocks: `all-linear`.
    All,
    /// Modules of these names, or whose path ends in one of them behind a dot.
    Listed(Vec<String>),
    /// Modules whose whole path matches.
    Matching(Regex),
}

impl ModuleNames {
    pub(super) fn read(fields: &Fields, key: &str) -> Result<Self, LoadError> {
        Ok(match fields.get(key) {
            None => Self::Listed(Vec::new()),
            Some(Value::String(text)) if text == "all-linear" => Self::All,
            Some(Value::String(text)) => Self::Matching(whole_regex(fields, key, text)?),
            Some(_) => {
                let names = fields.texts(key)?.unwrap_or_default();
                Self::Listed(names.into_iter().map(str::to_owned).collect())
            }
        })
    }

    /// Whether the module of this path is meant.
    pub(super) fn has(&self, module: &str) -> bool {
        match self {
            Self::All => true,
            Self::Listed(names) => names.iter().any(|name| ends_in(module, name)),
            Self::Matching(regex) => regex.is_match(module),
        }
    }

    /// The names of a list that mean none of the modules.
    pub(super) fn without_module<'a>(&'a self, modules: &[&str]) -> Vec<&'a str> {
        match self {
            Self::Listed(names) => names
                .iter()
                .filter(|name| !modules.iter().any(|module| ends_in(module, name)))
                .map(String::as_str)
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// `rank_pattern` or `alpha_pattern`: numbers for modules whose path, or the end of it behind a dot, matches.
#[derive(Debug)]
pub(super) struct RankPattern(Vec<(Regex, f64)>);

impl RankPattern {
    pub(super) fn read(fields: &Fields, key: &str) -> Result<Self, LoadError> {
        let Some(section) = fields.section(key)? else { return Ok(Self(Vec::new())) };
        let entries = section.keys().map(|pattern| {
            let regex = whole_regex(fields, key, &format!("(.*\\.)?({pattern})"))?;
            Ok((regex, section.number(pattern)?))
        });
        entries.collect::<Result<_, LoadError>>().map(Self)
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number for the module, of the first pattern that matches.
    pub(super) fn of(&self, module: &str) -> Option<f64> {
        self.0.iter().find(|(regex, _)| regex.is_match(module)).map(|(_, number)| *number)
    }
}

/// A pattern that has to match a whole path.
fn whole_regex(fields: &Fields, key: &str, pattern: &str) -> Result<Regex, LoadError> {
    Regex::new(&format!("^(?:{pattern})$"))
        .map_err(|error| fields.inconsistent(format!("{key} is no regular expression: {error}")))
}

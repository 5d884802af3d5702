use std::fmt;

use figment::value::{Dict, Empty, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::known_keys::KnownKeys;
use super::{ConfigRules, yaml_file};
use crate::environment::Variable;

/// Some settings and where they come from.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) origin: Origin,
    pub(super) values: Dict,
}

/// Where settings come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Defaults,
    /// A settings file, by its path.
    File(String),
    Variable {
        /// The setting, with dots.
        key: String,
        /// The variable, as messages name it.
        shown: String,
    },
    Flags,
}

impl Layer {
    /// The setting `key`, with dots, of a variable.
    pub(super) fn of_variable(variable: &Variable<'_>, key: &str, known: &KnownKeys) -> Self {
        let value = yaml_file::read_value(variable.value, known.default_of(key));
        let origin = Origin::Variable { key: key.to_owned(), shown: variable.to_string() };
        Self { origin, values: nested(key, value) }
    }

    /// Nulls for the settings of earlier layers that this one stands in for.
    pub(super) fn cleared(&self, rules: &ConfigRules) -> Option<Self> {
        let keys = rules.alternatives.iter().filter(|group| self.displaces(group, rules));
        let nulls = keys.flat_map(|group| group.iter());
        let values: Dict = nulls.map(|key| ((*key).to_owned(), Value::from(Empty::None))).collect();
        (!values.is_empty()).then(|| Self { origin: self.origin.clone(), values })
    }

    /// Whether this layer sets `key`, with dots, or something above or below it, or clears it.
    pub(super) fn sets_or_clears(&self, key: &str, rules: &ConfigRules) -> bool {
        let set = key.split('.').try_fold(&self.values, |values, name| {
            // What ends early takes the place of all below it.
            match values.get(name) {
                Some(Value::Dict(_, below)) => Ok(below),
                Some(_) => Err(true),
                None => Err(false),
            }
        });
        let clears = rules.alternatives.iter().filter(|group| group.contains(&key));
        set.map_or_else(|set| set, |_| true)
            || clears.into_iter().any(|group| self.displaces(group, rules))
    }

    /// Whether this layer sets something of another group, and nothing of this one.
    fn displaces(&self, group: &[&str], rules: &ConfigRules) -> bool {
        let sets = |key: &&str| self.values.get(*key).is_some_and(|value| !is_null(value));
        !group.iter().any(sets)
            && rules.alternatives.iter().any(|other| *other != group && other.iter().any(sets))
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("the defaults"),
            Self::File(path) => f.write_str(path),
            Self::Variable { shown, .. } => f.write_str(shown),
            Self::Flags => f.write_str("the flags"),
        }
    }
}

fn is_null(value: &Value) -> bool {
    matches!(value, Value::Empty(..))
}

fn nested(key: &str, value: Value) -> Dict {
    match key.split_once('.') {
        Some((section, rest)) => {
            Dict::from([(section.to_owned(), Value::from(nested(rest, value)))])
        }
        None => Dict::from([(key.to_owned(), value)]),
    }
}

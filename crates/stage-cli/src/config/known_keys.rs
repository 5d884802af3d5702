use figment::value::{Dict, Value};

use super::nearest::nearest;

/// The settings that a stage has, as its defaults tell them.
pub(crate) struct KnownKeys {
    defaults: Dict,
    /// Every setting that is no section, with dots.
    dotted: Vec<String>,
}

/// A key that is no setting.
pub(crate) struct UnknownKey {
    /// With dots.
    pub(crate) key: String,
    /// The setting that was probably meant, with dots.
    pub(crate) meant: Option<String>,
}

impl KnownKeys {
    pub(crate) fn new(defaults: Dict) -> Self {
        let mut dotted = Vec::new();
        collect(&defaults, "", &mut dotted);
        Self { defaults, dotted }
    }

    /// The default of a key with dots.
    pub(crate) fn default_of(&self, key: &str) -> Option<&Value> {
        let (first, rest) =
            key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
        let value = self.defaults.get(first)?;
        rest.map_or(Some(value), |rest| value.find_ref(rest))
    }

    /// The keys of `values` that are no settings. What lies under a setting without a default of its
    /// own kind, such as a map, is not looked at: reading it will.
    pub(crate) fn unknown(&self, values: &Dict) -> Vec<UnknownKey> {
        let mut unknown = Vec::new();
        self.walk(values, &self.defaults, "", &mut unknown);
        unknown
    }

    /// The setting that was meant by the last part of `key`: of its section, else of all.
    pub(crate) fn meant(&self, key: &str) -> Option<String> {
        let (section, name) =
            key.rsplit_once('.').map_or(("", key), |(section, name)| (section, name));
        let siblings = match section {
            "" => Some(&self.defaults),
            _ => self.default_of(section).and_then(Value::as_dict),
        };
        let siblings = siblings.into_iter().flatten();
        // A section is what was meant only where it is written nearly so: `lora_rank` means no `lora`.
        let siblings = siblings.filter(|(sibling, value)| {
            !is_section(value) || strsim::osa_distance(name, sibling) <= 1
        });
        if let Some(sibling) = nearest(name, siblings.map(|(sibling, _)| sibling.as_str())) {
            return Some(joined(section, sibling));
        }
        let flat: Vec<String> = self.dotted.iter().map(|key| key.replace('.', "_")).collect();
        let wanted = key.replace('.', "_");
        if let Some(found) = nearest(&wanted, flat.iter().map(String::as_str)) {
            return flat.iter().position(|flat| flat == found).map(|at| self.dotted[at].clone());
        }
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let lasts: Vec<String> = self.dotted.iter().map(|key| last(key)).collect();
        let found = nearest(name, lasts.iter().map(String::as_str))?;
        lasts.iter().position(|last| last == found).map(|at| self.dotted[at].clone())
    }

    fn walk(&self, values: &Dict, known: &Dict, section: &str, unknown: &mut Vec<UnknownKey>) {
        for (name, value) in values {
            let key = joined(section, name);
            match (known.get(name), value) {
                (None, _) => {
                    let meant = self.meant(&key);
                    unknown.push(UnknownKey { key, meant });
                }
                (Some(default), Value::Dict(_, values)) if is_section(default) => {
                    if let Some(known) = default.as_dict() {
                        self.walk(values, known, &key, unknown);
                    }
                }
                (Some(_), _) => {}
            }
        }
    }
}

/// Whether settings of fixed names lie below; a map that is empty by default takes any.
fn is_section(value: &Value) -> bool {
    value.as_dict().is_some_and(|dict| !dict.is_empty())
}

fn collect(dict: &Dict, section: &str, dotted: &mut Vec<String>) {
    for (name, value) in dict {
        let key = joined(section, name);
        match value {
            Value::Dict(_, dict) if !dict.is_empty() => collect(dict, &key, dotted),
            _ => dotted.push(key),
        }
    }
}

fn joined(section: &str, name: &str) -> String {
    match section {
        "" => name.to_owned(),
        _ => format!("{section}.{name}"),
    }
}

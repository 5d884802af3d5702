use anyhow::{Context, bail};
use backtest_study::GridPoint;
use serde_json::{Map, Value};
use stage_cli::Hint;

use crate::args::set;
use crate::config::BacktestSettings;

/// The keys that a grid varies, with the values of one configuration.
pub(crate) type Parameters = Map<String, Value>;

/// Keys that a grid may vary: rules and costs, since all its runs share bars and calls.
const VARIABLE: [&str; 10] = [
    "missing_bar",
    "shorts",
    "action_weights",
    "sizing",
    "holding_sessions",
    "costs",
    "limits",
    "drawdown_stop",
    "delisting",
    "initial_cash",
];

/// Every combination of the grid's values, the last key fastest; the settings themselves where the
/// grid is empty.
///
/// # Errors
/// A key that a grid cannot vary, or values that the setting does not take.
pub(crate) fn grid_points(
    settings: &BacktestSettings,
) -> anyhow::Result<Vec<GridPoint<Parameters>>> {
    let mut combinations = vec![Map::new()];
    for (key, values) in &settings.grid {
        let top = key.split('.').next().unwrap_or_default();
        if !VARIABLE.contains(&top) {
            return Err(anyhow::anyhow!("`grid` cannot vary `{key}`"))
                .hint(format!("keys that it can vary begin with {}", VARIABLE.join(", ")));
        }
        let Some(values) = values.as_array().filter(|values| !values.is_empty()) else {
            bail!("`grid.{key}` must be a list of values");
        };
        combinations = combinations
            .iter()
            .flat_map(|combination: &Parameters| {
                values.iter().map(move |value| {
                    let mut combination = combination.clone();
                    combination.insert(key.clone(), value.clone());
                    combination
                })
            })
            .collect();
    }
    combinations.into_iter().map(|parameters| point(settings, parameters)).collect()
}

fn point(
    settings: &BacktestSettings,
    parameters: Parameters,
) -> anyhow::Result<GridPoint<Parameters>> {
    let Value::Object(mut varied) = serde_json::to_value(settings)? else {
        bail!("settings are a mapping");
    };
    for (key, value) in &parameters {
        let path: Vec<&str> = key.split('.').collect();
        set(&mut varied, &path, value.clone());
    }
    let named = || format!("`grid`: {}", Value::Object(parameters.clone()));
    let varied: BacktestSettings =
        serde_json::from_value(Value::Object(varied)).with_context(named)?;
    let config = varied.engine();
    config.validate().with_context(named)?;
    Ok(GridPoint { parameters, config })
}

//! Writes the log of a run that never was to a tracking server and to `metrics.jsonl`, so that the
//! two can be compared: `xtask/mlflow_check.py` does.
//!
//! ```text
//! MLFLOW_TRACKING_URI=http://localhost:5000 cargo run -p experiment-log --features mlflow --example mlflow -- FOLDER
//! ```

#![expect(clippy::print_stdout, reason = "the run's name is the output")]

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use experiment_log::{ExperimentLog, JsonLines, Mlflow, MlflowSettings, RunStatus};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("the folder for metrics.jsonl?")?);
    let settings = MlflowSettings::from_variables("mlflow check", |name| std::env::var(name).ok())
        .ok_or("MLFLOW_TRACKING_URI is not set")?;
    // Nothing is sent before the end, so that batches are full.
    let send_every = Duration::from_secs(3600);
    let settings =
        MlflowSettings { run_name: Some("never was".to_owned()), send_every, ..settings };

    let run = Mlflow::start(settings.clone(), SystemTime::now())?;
    let run_id = run.run_id().to_owned();
    let lines = JsonLines::create(&folder.join("metrics.jsonl"))?;
    let mut log = ExperimentLog::new(vec![lines.into(), run.into()]);
    let params: Vec<(String, String)> =
        (0..150).map(|i| (format!("param {i}"), format!("value {i}"))).collect();
    let mut params: Vec<(&str, &str)> =
        params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let long = "x".repeat(7000);
    params.extend([("long", long.as_str()), ("lora.target_modules[0]", "q_proj")]);
    log.log_hyperparameters(&params)?;
    for step in 0..900 {
        log_step(&mut log, step)?;
    }
    log.log(900, &[("not a number", f64::NAN)])?;
    log.finish(RunStatus::Failed)?;

    let settings = MlflowSettings { run_id: Some(run_id.clone()), ..settings };
    let run = Mlflow::start(settings, SystemTime::now())?;
    let lines = JsonLines::resume(&folder.join("metrics.jsonl"), 900)?;
    let mut log = ExperimentLog::new(vec![lines.into(), run.into()]);
    log.log_hyperparameters(&[("param 0", "another value"), ("resumed from", "900")])?;
    for step in 901..1000 {
        log_step(&mut log, step)?;
    }
    log.finish(RunStatus::Finished)?;
    println!("{run_id}");
    Ok(())
}

fn log_step(log: &mut ExperimentLog, step: u64) -> Result<(), experiment_log::LogError> {
    let x = step as f64;
    log.log(
        step,
        &[
            ("loss", 6.0 / (1.0 + x / 7.0)),
            ("learning_rate", 1e-3 * (x / 100.0).cos()),
            ("eval/accuracy (all)", x / 3000.0),
        ],
    )
}

mod client;
mod limits;
mod settings;

use std::collections::{HashSet, VecDeque};
use std::time::SystemTime;

use serde_json::{Value, json};

pub use settings::{Credentials, MlflowSettings};

use crate::{LogError, RunStatus};
use client::Client;
use limits::{METRICS, PARAMS, key, milliseconds, number, param_value};

/// A run on an MLflow tracking server.
///
/// Metrics are gathered and sent some seconds apart, so that a server's answer is not waited for at
/// every step. What a server does not take stays in a buffer of a fixed size for the next try, which
/// is some time later; in between nothing is asked and no error returned. Only what the server says
/// can never be right (status 400) is dropped at once.
#[derive(Debug)]
pub struct Mlflow {
    client: Client,
    settings: MlflowSettings,
    run_id: String,
    /// Keys of parameters that the server has: it lets none be changed.
    known_params: HashSet<String>,
    params: VecDeque<Value>,
    metrics: VecDeque<Value>,
    /// Entries lost since the last error told of them.
    dropped: usize,
    /// Nothing is sent before.
    next_try: SystemTime,
}

impl Mlflow {
    /// Begins a run, making its experiment where there is none; or goes on with the run that the
    /// settings name.
    ///
    /// A run that goes on keeps the metrics it has, also those of steps that are done again.
    ///
    /// # Errors
    /// [`LogError::Setting`], [`LogError::Unreachable`], [`LogError::Refused`],
    /// [`LogError::Answer`]. There is no run then, and nothing is kept for one: the caller goes on
    /// without this sink, or stops before any work is done.
    pub fn start(settings: MlflowSettings, now: SystemTime) -> Result<Self, LogError> {
        let client = Client::new(&settings)?;
        let (run_id, known_params) = match &settings.run_id {
            Some(run_id) => (run_id.clone(), continue_run(&client, run_id)?),
            None => (create_run(&client, &settings, now)?, HashSet::new()),
        };
        Ok(Self {
            client,
            run_id,
            known_params,
            params: VecDeque::new(),
            metrics: VecDeque::new(),
            dropped: 0,
            next_try: now + settings.send_every,
            settings,
        })
    }

    /// The server's name of the run; a checkpoint that keeps it lets a resumed run go on with it.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Keeps metrics of a step, and sends what is kept when it is time.
    ///
    /// Characters that MLflow does not have in names become `_`.
    ///
    /// # Errors
    /// [`LogError::Unsent`].
    pub fn log(
        &mut self,
        now: SystemTime,
        step: u64,
        scalars: &[(&str, f64)],
    ) -> Result<(), LogError> {
        self.metrics.extend(scalars.iter().map(|&(name, value)| {
            json!({
                "key": key(name), "value": number(value),
                "timestamp": milliseconds(now), "step": step,
            })
        }));
        let excess = self.metrics.len().saturating_sub(self.settings.capacity);
        self.metrics.drain(..excess);
        self.dropped += excess;
        self.send_in_time(now)
    }

    /// Sends parameters, values cut to the 6000 characters that MLflow has room for. Those that a
    /// continued run has already stay as they are: MLflow lets none be changed.
    ///
    /// # Errors
    /// [`LogError::Unsent`].
    pub fn log_params(&mut self, now: SystemTime, values: &[(&str, &str)]) -> Result<(), LogError> {
        for (name, value) in values {
            let key = key(name);
            if self.known_params.insert(key.clone()) {
                self.params.push_back(json!({ "key": key, "value": param_value(value) }));
            }
        }
        self.send(now)
    }

    /// Sends everything and ends the run.
    ///
    /// # Errors
    /// [`LogError::Unsent`], and what the server says to the end of the run.
    pub fn finish(&mut self, now: SystemTime, status: RunStatus) -> Result<(), LogError> {
        let sent = self.send(now);
        let status = match status {
            RunStatus::Finished => "FINISHED",
            RunStatus::Failed => "FAILED",
            RunStatus::Killed => "KILLED",
        };
        let body =
            json!({ "run_id": self.run_id, "status": status, "end_time": milliseconds(now) });
        let ended = self.client.post("runs/update", &body);
        sent.and(ended.map(drop))
    }

    fn send_in_time(&mut self, now: SystemTime) -> Result<(), LogError> {
        if now < self.next_try { Ok(()) } else { self.send(now) }
    }

    /// Sends batch after batch until nothing is left, or the server does not answer.
    fn send(&mut self, now: SystemTime) -> Result<(), LogError> {
        let mut fault = None;
        while !(self.params.is_empty() && self.metrics.is_empty()) {
            // Apart, so that a parameter that is refused takes no metrics with it.
            let params = first(&self.params, PARAMS);
            let metrics = first(&self.metrics, if params.is_empty() { METRICS } else { 0 });
            let body = json!({ "run_id": self.run_id, "params": params, "metrics": metrics });
            let answer = self.client.post("runs/log-batch", &body);
            let refused = matches!(answer, Err(LogError::Refused { status: 400, .. }));
            if answer.is_ok() || refused {
                self.params.drain(..params.len());
                self.metrics.drain(..metrics.len());
            }
            if refused {
                self.dropped += params.len() + metrics.len();
            }
            if let Err(error) = answer {
                fault = Some(error);
                if !refused {
                    break;
                }
            }
        }
        let waiting = self.params.len() + self.metrics.len();
        let pause = if waiting == 0 { self.settings.send_every } else { self.settings.retry_after };
        self.next_try = now + pause;
        fault.map_or(Ok(()), |fault| {
            let dropped = std::mem::take(&mut self.dropped);
            Err(LogError::Unsent { waiting, dropped, source: Box::new(fault) })
        })
    }
}

fn first(queue: &VecDeque<Value>, count: usize) -> Vec<Value> {
    queue.iter().take(count).cloned().collect()
}

fn create_run(
    client: &Client,
    settings: &MlflowSettings,
    now: SystemTime,
) -> Result<String, LogError> {
    let experiment_id = experiment(client, &settings.experiment)?;
    let mut body =
        json!({ "experiment_id": experiment_id, "start_time": milliseconds(now), "tags": [] });
    if let Some(name) = &settings.run_name {
        body["run_name"] = Value::from(name.as_str());
    }
    client.post("runs/create", &body)?.text("/run/info/run_id")
}

fn experiment(client: &Client, name: &str) -> Result<String, LogError> {
    let known = || client.get("experiments/get-by-name", &[("experiment_name", name)]);
    match known() {
        Ok(answer) => answer.text("/experiment/experiment_id"),
        Err(LogError::Refused { status: 404, message, .. })
            if message.contains("RESOURCE_DOES_NOT_EXIST") =>
        {
            match client.post("experiments/create", &json!({ "name": name })) {
                Ok(answer) => answer.text("/experiment_id"),
                // Another run was quicker.
                Err(LogError::Refused { message, .. })
                    if message.contains("RESOURCE_ALREADY_EXISTS") =>
                {
                    known()?.text("/experiment/experiment_id")
                }
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// Sets a run going again; the keys of its parameters.
fn continue_run(client: &Client, run_id: &str) -> Result<HashSet<String>, LogError> {
    let answer = client.get("runs/get", &[("run_id", run_id)])?;
    answer.text("/run/info/run_id")?;
    client.post("runs/update", &json!({ "run_id": run_id, "status": "RUNNING" }))?;
    let params = answer.json.pointer("/run/data/params").and_then(Value::as_array);
    let keys = params.into_iter().flatten().filter_map(|param| param["key"].as_str());
    Ok(keys.map(str::to_owned).collect())
}

//! The client of MLflow against a local server with scripted answers of the real shapes.
//! `xtask/mlflow_check.py` holds it against MLflow itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod mock_server;

use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use experiment_log::{
    Credentials, ExperimentLog, JsonLines, LogError, Mlflow, MlflowSettings, RunStatus,
};
use mock_server::MockServer;
use serde_json::Value;

const EXPERIMENT: (u16, &str) = (200, r#"{"experiment":{"experiment_id":"7","name":"theses"}}"#);
const RUN: (u16, &str) = (200, r#"{"run":{"info":{"run_id":"abc"}}}"#);
const OK: (u16, &str) = (200, "{}");
const DOWN: (u16, &str) = (503, "<html>\n<b>out for lunch</b></html>");

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn settings(server: &MockServer) -> MlflowSettings {
    MlflowSettings::new(format!("{}/", server.url()), "theses")
}

/// A run that began at second 100.
fn started(server: &MockServer, change: impl FnOnce(&mut MlflowSettings)) -> Mlflow {
    server.answer([EXPERIMENT, RUN]);
    let mut settings = settings(server);
    change(&mut settings);
    let run = Mlflow::start(settings, at(100)).unwrap();
    server.requests();
    run
}

fn check(server: &MockServer, want: &Expect) {
    let requests: Vec<String> = server
        .requests()
        .iter()
        .map(|request| format!("{} {}", request.line, request.body))
        .collect();
    let lines: Vec<&str> = requests.iter().map(|request| request.trim_end()).collect();
    want.assert_eq(&lines.join("\n"));
}

/// How many metrics and parameters each batch had.
fn batches(server: &MockServer) -> Vec<(usize, usize)> {
    let count = |body: &Value, key: &str| body[key].as_array().unwrap().len();
    let requests = server.requests();
    requests
        .iter()
        .map(|request| serde_json::from_str(&request.body).unwrap())
        .map(|body| (count(&body, "metrics"), count(&body, "params")))
        .collect()
}

fn text(error: &LogError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

#[test]
fn a_run() {
    let server = MockServer::start();
    server.answer([EXPERIMENT, RUN, OK, OK, OK]);
    let settings = MlflowSettings { run_name: Some("first".to_owned()), ..settings(&server) };
    let mut run = Mlflow::start(settings, at(100)).unwrap();
    assert_eq!(run.run_id(), "abc");
    run.log_params(at(100), &[("lr", "0.003"), ("modules[0]", "q_proj")]).unwrap();
    run.log(at(101), 1, &[("loss", 6.25), ("norm", f64::NAN), ("up", f64::INFINITY)]).unwrap();
    run.log(at(102), 2, &[("loss", 0.1)]).unwrap();
    run.finish(at(103), RunStatus::Finished).unwrap();
    check(
        &server,
        &expect![[r#"
            GET /api/2.0/mlflow/experiments/get-by-name?experiment_name=theses
            POST /api/2.0/mlflow/runs/create {"experiment_id":"7","start_time":100000,"tags":[],"run_name":"first"}
            POST /api/2.0/mlflow/runs/log-batch {"run_id":"abc","params":[{"key":"lr","value":"0.003"},{"key":"modules_0_","value":"q_proj"}],"metrics":[]}
            POST /api/2.0/mlflow/runs/log-batch {"run_id":"abc","params":[],"metrics":[{"key":"loss","value":6.25,"timestamp":101000,"step":1},{"key":"norm","value":"NaN","timestamp":101000,"step":1},{"key":"up","value":"Infinity","timestamp":101000,"step":1},{"key":"loss","value":0.1,"timestamp":102000,"step":2}]}
            POST /api/2.0/mlflow/runs/update {"run_id":"abc","status":"FINISHED","end_time":103000}"#]],
    );
}

#[test]
fn an_experiment_that_is_not_there_yet() {
    let missing = (404, r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"No experiment"}"#);
    let server = MockServer::start();
    server.answer([missing, (200, r#"{"experiment_id":"8"}"#), RUN]);
    Mlflow::start(settings(&server), at(100)).unwrap();
    check(
        &server,
        &expect![[r#"
            GET /api/2.0/mlflow/experiments/get-by-name?experiment_name=theses
            POST /api/2.0/mlflow/experiments/create {"name":"theses"}
            POST /api/2.0/mlflow/runs/create {"experiment_id":"8","start_time":100000,"tags":[]}"#]],
    );

    // Another run makes it at the same time.
    let exists = (400, r#"{"error_code":"RESOURCE_ALREADY_EXISTS","message":"It is there"}"#);
    server.answer([missing, exists, EXPERIMENT, RUN]);
    Mlflow::start(settings(&server), at(100)).unwrap();
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_run_that_goes_on() {
    let server = MockServer::start();
    let known =
        r#"{"run":{"info":{"run_id":"abc"},"data":{"params":[{"key":"lr","value":"0.003"}]}}}"#;
    server.answer([(200, known), OK, OK, OK]);
    let settings = MlflowSettings { run_id: Some("abc".to_owned()), ..settings(&server) };
    let mut run = Mlflow::start(settings, at(100)).unwrap();
    run.log_params(at(100), &[("lr", "0.004"), ("seed", "1")]).unwrap();
    run.finish(at(101), RunStatus::Killed).unwrap();
    check(
        &server,
        &expect![[r#"
            GET /api/2.0/mlflow/runs/get?run_id=abc
            POST /api/2.0/mlflow/runs/update {"run_id":"abc","status":"RUNNING"}
            POST /api/2.0/mlflow/runs/log-batch {"run_id":"abc","params":[{"key":"seed","value":"1"}],"metrics":[]}
            POST /api/2.0/mlflow/runs/update {"run_id":"abc","status":"KILLED","end_time":101000}"#]],
    );
}

#[test]
fn batches_have_a_limit() {
    let server = MockServer::start();
    let mut run = started(&server, |_| ());
    let params: Vec<(String, String)> =
        (0..250).map(|i| (format!("p{i}"), "ü".repeat(7000))).collect();
    let params: Vec<(&str, &str)> =
        params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    server.answer([OK; 3]);
    run.log_params(at(101), &params).unwrap();
    let requests = server.requests();
    let body: Value = serde_json::from_str(&requests[0].body).unwrap();
    assert_eq!(body["params"][0]["value"].as_str().unwrap(), "ü".repeat(6000));
    assert_eq!(requests.len(), 3);

    let scalars = vec![("x", 1.0); 2500];
    run.log(at(101), 1, &scalars).unwrap();
    server.answer([OK; 4]);
    run.finish(at(102), RunStatus::Failed).unwrap();
    let requests = server.requests();
    let sizes: Vec<usize> =
        requests[..3].iter().map(|request| request.body.matches("\"key\"").count()).collect();
    assert_eq!(sizes, [1000, 1000, 500]);
    assert!(requests[3].body.contains("\"FAILED\""), "{}", requests[3].body);
}

#[test]
fn metrics_are_gathered() {
    let server = MockServer::start();
    let mut run = started(&server, |_| ());
    for step in 0..5 {
        run.log(at(100 + step), step, &[("x", 1.0)]).unwrap();
    }
    assert_eq!(batches(&server), []);
    server.answer([OK]);
    run.log(at(105), 5, &[("x", 1.0)]).unwrap();
    assert_eq!(batches(&server), [(6, 0)]);
    run.log(at(109), 6, &[("x", 1.0)]).unwrap();
    assert_eq!(batches(&server), []);
}

#[test]
fn a_server_that_fails_for_a_while() {
    let server = MockServer::start();
    let mut run = started(&server, |settings| settings.capacity = 4);
    server.answer([DOWN]);
    let error = run.log(at(105), 1, &[("x", 1.0), ("y", 1.0)]).unwrap_err();
    assert!(error.is_remote());
    let url = server.url();
    assert_eq!(
        text(&error),
        format!(
            "MLflow: 2 entries wait for the next try, 0 are lost for good: \
             {url}/api/2.0/mlflow/runs/log-batch answered 503: \
             <html> <b>out for lunch</b></html>"
        )
    );
    server.requests();
    // It is left alone for a minute, and nothing is said of it.
    for step in 2..5 {
        run.log(at(104 + step), step, &[("x", 1.0)]).unwrap();
    }
    assert_eq!(batches(&server), []);
    // What waited comes along, but for what there was no room for.
    server.answer([DOWN]);
    let error = run.log(at(165), 5, &[("x", 1.0)]).unwrap_err();
    assert!(
        text(&error).starts_with("MLflow: 4 entries wait for the next try, 2 are lost for good"),
        "{}",
        text(&error)
    );
    server.requests();
    server.answer([OK]);
    run.log(at(300), 6, &[]).unwrap();
    let body: Value = serde_json::from_str(&server.requests()[0].body).unwrap();
    let steps: Vec<u64> = body["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|metric| metric["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, [2, 3, 4, 5]);
}

#[test]
fn what_can_never_be_right_is_not_sent_again() {
    let server = MockServer::start();
    let mut run = started(&server, |_| ());
    run.log(at(101), 1, &vec![("x", 1.0); 1500]).unwrap();
    let refusal = r#"{"error_code":"INVALID_PARAMETER_VALUE","message":"Invalid metric"}"#;
    server.answer([(400, refusal), OK]);
    let error = run.log(at(105), 2, &[]).unwrap_err();
    assert!(
        text(&error).starts_with("MLflow: 0 entries wait for the next try, 1000 are lost for good"),
        "{}",
        text(&error)
    );
    assert!(text(&error).ends_with("answered 400: INVALID_PARAMETER_VALUE: Invalid metric"));
    assert_eq!(batches(&server), [(1000, 0), (500, 0)]);

    // A parameter that is refused takes no metrics with it, and the next batch is soon.
    run.log(at(106), 3, &[("x", 1.0)]).unwrap();
    server.answer([(400, refusal), OK]);
    run.log_params(at(107), &[("p", "1")]).unwrap_err();
    assert_eq!(batches(&server), [(0, 1), (1, 0)]);
    server.answer([OK]);
    run.log(at(112), 4, &[("x", 1.0)]).unwrap();
    assert_eq!(batches(&server), [(1, 0)]);
}

#[test]
fn a_server_that_is_gone_stops_no_log() {
    let server = MockServer::start();
    let run = started(&server, |settings| settings.send_every = Duration::ZERO);
    let url = server.url();
    drop(server);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let lines = JsonLines::create(&path).unwrap();
    let mut log = ExperimentLog::with_clock(vec![run.into(), lines.into()], || at(200));
    let error = log.log(1, &[("loss", 1.0)]).unwrap_err();
    assert!(error.is_remote());
    let start = format!(
        "MLflow: 1 entries wait for the next try, 0 are lost for good: \
         no answer from {url}/api/2.0/mlflow/runs/log-batch: "
    );
    assert!(text(&error).starts_with(&start), "{}", text(&error));
    assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"step\":1,\"loss\":1.0}\n");
}

#[test]
fn credentials() {
    let header = |credentials: Credentials| {
        let server = MockServer::start();
        server.answer([EXPERIMENT, RUN]);
        let settings = MlflowSettings { credentials, ..settings(&server) };
        Mlflow::start(settings, at(100)).unwrap();
        let requests = server.requests();
        assert_eq!(requests[0].authorization, requests[1].authorization);
        requests[0].authorization.clone()
    };
    assert_eq!(header(Credentials::None), None);
    assert_eq!(header(Credentials::Token("s3cret".into())).unwrap(), "Bearer s3cret");
    // The example of RFC 7617.
    let basic = Credentials::Basic { user: "Aladdin".into(), password: "open sesame".into() };
    assert_eq!(header(basic.clone()).unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(format!("{basic:?}"), "Basic { … }");

    let with = |variables: &[(&str, &str)]| {
        let variables = variables.to_vec();
        let find = move |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        MlflowSettings::from_variables("theses", find).map(|settings| settings.credentials)
    };
    let uri = ("MLFLOW_TRACKING_URI", "http://localhost:5000");
    let token = ("MLFLOW_TRACKING_TOKEN", "t");
    let user = ("MLFLOW_TRACKING_USERNAME", "u");
    let password = ("MLFLOW_TRACKING_PASSWORD", "p");
    let basic = Credentials::Basic { user: "u".into(), password: "p".into() };
    assert_eq!(with(&[token]), None);
    assert_eq!(with(&[("MLFLOW_TRACKING_URI", "")]), None);
    assert_eq!(with(&[uri]), Some(Credentials::None));
    assert_eq!(with(&[uri, token]), Some(Credentials::Token("t".into())));
    assert_eq!(with(&[uri, user, password]), Some(basic.clone()));
    assert_eq!(with(&[uri, user, password, token]), Some(basic));
}

#[test]
fn addresses_and_answers() {
    let start =
        |uri: &str| text(&Mlflow::start(MlflowSettings::new(uri, "theses"), at(100)).unwrap_err());
    for (uri, want) in [
        (
            "mlruns",
            "MLFLOW_TRACKING_URI: `mlruns` is no address of a server, like http://localhost:5000",
        ),
        (
            "sqlite:///mlflow.db",
            "MLFLOW_TRACKING_URI: `sqlite://` is not supported, only http:// and https://",
        ),
        (
            "http://",
            "MLFLOW_TRACKING_URI: `http:` is no address of a server, like http://localhost:5000",
        ),
        (
            "http://me:s3cret@host",
            "MLFLOW_TRACKING_URI: it holds a name or password; these go into \
             MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        ),
        ("http://host?x=1", "MLFLOW_TRACKING_URI: `http://host?x=1` is no address of a server"),
    ] {
        assert_eq!(start(uri), want);
    }

    let server = MockServer::start();
    let url = server.url();
    let get = format!("{url}/api/2.0/mlflow/experiments/get-by-name");
    for (answer, want) in [
        ((401, "no"), format!("{get} answered 401: no")),
        ((404, "Not Found"), format!("{get} answered 404: Not Found")),
        ((302, ""), format!("{get} answered 302: ")),
        (
            (200, "<html>hello</html>"),
            format!(
                "{get} answered without `/experiment/experiment_id`: is it an MLflow tracking server?"
            ),
        ),
    ] {
        server.answer([answer]);
        assert_eq!(start(&url), want);
    }
}

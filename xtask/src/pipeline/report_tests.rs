//! The table, the figures and the page of a run whose files are in `fixtures/pipeline`.

use std::path::PathBuf;

use expect_test::{Expect, expect, expect_file};

use super::html::escaped;
use super::page::{Page, StageOnPage};
use super::results::{Results, summary};
use super::run_folder::RunFolder;
use super::stage::{Stage, StageName};
use super::table::table;
use super::warnings::warnings;
use crate::process::root;

fn run() -> RunFolder {
    RunFolder::new(root().join("fixtures/pipeline/run"))
}

fn stages() -> Vec<StageOnPage> {
    let stage = |name: StageName| StageOnPage {
        name,
        purpose: "what it does",
        command: format!("bin/{} --out 'a <b>'", name.as_str()),
        seconds: (name != StageName::FetchPrices).then_some(75.0),
        warnings: Vec::new(),
        files: vec![("report", format!("{}/a b.html", name.as_str()))],
    };
    StageName::ALL.map(stage).into()
}

fn page(results: &Results) -> String {
    let (title, description) = ("<try>", "a & b");
    let command = "cargo xtask pipeline".to_owned();
    Page { title, description, results, stages: stages(), command }.html()
}

#[test]
fn the_table() {
    let check = |results: &Results, want: Expect| {
        let seconds = [(StageName::Ingest, 0.25), (StageName::TrainSft, 125.0)];
        want.assert_eq(&table(results, &seconds));
    };
    check(
        &Results::read(&run()),
        expect![[r#"
            rows        train 38, validation 12, test 17

            test, 216 rows                base     tuned
            loss, nats a token          0.0584    0.0503
            perplexity                   1.060     1.052
            accuracy                    20.4 %    80.1 %
            macro F1                     0.068     0.700
            valid tags                 100.0 %   100.0 %

            2022-11-01 to 2023-02-24    return    Sharpe  max drawdown
            the model's calls           1.48 %     0.852       -2.27 %
            buy and hold                4.71 %     0.578      -14.04 %
            equal weight, monthly       5.07 %     0.610      -14.15 %
            momentum 12-1               0.00 %       n/a        0.00 %
            always HOLD                 0.00 %       n/a        0.00 %
            random calls, mean          0.73 %     0.543           n/a

            ingest                       0.2 s
            train-sft               2 min 05 s
        "#]],
    );
    check(
        &Results::default(),
        expect![[r#"
        ingest                       0.2 s
        train-sft               2 min 05 s
    "#]],
    );
}

#[test]
fn the_figures_for_programs() {
    let summary = summary("try", "a try", &Results::read(&run()));
    let text = serde_json::to_string_pretty(&summary).unwrap() + "\n";
    expect_file![root().join("fixtures/pipeline/summary.json")].assert_eq(&text);
}

#[test]
fn a_run_without_files_has_no_figures() {
    let nothing = RunFolder::new(PathBuf::from("no/such/run"));
    assert_eq!(Results::read(&nothing), Results::default());
}

#[test]
fn the_page_asks_for_nothing_and_nothing_breaks_out() {
    for results in [Results::read(&run()), Results::default()] {
        let html = page(&results);
        // Addresses of other places: none.
        for word in ["http:", "https:", "src=", "@import", "<script", "url(h", "<try>", "<b>"] {
            assert!(!html.contains(word), "{word}");
        }
        assert!(html.contains("&lt;try&gt;") && html.contains("a &amp; b"));
        assert!(html.contains(&escaped("bin/ingest --out 'a <b>'")));
        assert!(html.contains("href=\"ingest/a%20b.html\""));
        assert!(html.contains("not finished") && html.contains("1 min 15 s"));
        for tag in ["section", "figure", "table", "tr", "td", "svg", "ul", "li", "div", "details"] {
            let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
            let opened = html
                .match_indices(&open)
                .filter(|(at, _)| html[at + open.len()..].starts_with([' ', '>']));
            assert_eq!(opened.count(), html.matches(&close).count(), "{tag}");
        }
    }
}

#[test]
fn the_page_says_what_was_found() {
    let results = Results::read(&run());
    let html = page(&results);
    let check = |word: &str| assert!(html.contains(word), "{word}");
    check("5 records, 3 rejected");
    check("38 / 12 / 17 rows");
    check("59,107 tokens");
    check("10 steps");
    check("216 rows judged");
    check("<td>accuracy</td><td>20.4 %</td><td>80.1 %</td>");
    check("<div class=\"under\">base model 0.058</div>");
    check("aria-label=\"loss by step\"");
    check("<td>buy and hold</td><td>4.71 %</td><td>0.578</td><td>-14.04 %</td>");
}

#[test]
fn warnings_are_those_of_logs_and_of_reports() {
    let of = |name, output: &str| {
        let mut stage = Stage::new(name, "");
        stage.output = run().path(output);
        stage.folder = run().folder_of(&stage.output);
        warnings(&stage)
    };
    let ingest = of(StageName::Ingest, "records/all.jsonl");
    assert_eq!(ingest.len(), 7);
    assert_eq!(ingest[1], "sub/dirty.xml:42:88: unknown element <mood> is ignored");
    let backtest = of(StageName::TradingBacktest, "backtest/backtest.json");
    assert_eq!(backtest.len(), 1);
    assert!(backtest[0].starts_with("the last call is of 2022-11-10"), "{}", backtest[0]);
    let evaluation = of(StageName::EvaluateSft, "eval/eval_results.csv");
    assert!(evaluation[0].starts_with("The base model has collapsed"), "{}", evaluation[0]);
    assert!(of(StageName::TrainSft, "sft").is_empty());
}

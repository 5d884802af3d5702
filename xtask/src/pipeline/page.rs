mod curve;
mod flow;

use std::fmt::Write;

use super::StageName;
use super::html::{escaped, link_path};
use super::results::{Results, Test};
use super::table::{TEST_FIGURES, number, percent};
use super::time::duration;

/// All that the page of a run says.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) results: &'a Results,
    pub(super) stages: Vec<StageOnPage>,
    /// The command that makes the page again.
    pub(super) command: String,
}

/// A stage as the page shows it.
#[derive(Debug)]
pub(super) struct StageOnPage {
    pub(super) name: StageName,
    pub(super) purpose: &'static str,
    pub(super) command: String,
    /// How long its last start took; `None` where it is not finished.
    pub(super) seconds: Option<f64>,
    pub(super) warnings: Vec<String>,
    /// Names and paths, relative to the page, of what it wrote.
    pub(super) files: Vec<(&'static str, String)>,
}

/// Warnings of one stage that are shown; the log has all.
const MOST_WARNINGS: usize = 12;

impl Page<'_> {
    /// The page: one file that asks for nothing else.
    pub(super) fn html(&self) -> String {
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n<style>\n{1}</style>\n</head>\n\
             <body>\n<header>\n<h1>{0}</h1>\n<p class=\"lead\">{2}</p>\n",
            escaped(self.title),
            include_str!("page.css"),
            escaped(self.description.trim())
        );
        html.push_str("</header>\n<main>\n");
        self.tiles(&mut html);
        self.reports(&mut html);
        let _ = writeln!(
            html,
            "<h2 class=\"wide\">From theses to trades</h2>\n<figure class=\"flow wide\">{}</figure>",
            flow::flow(self.results)
        );
        self.learned(&mut html);
        self.earned(&mut html);
        self.stages(&mut html);
        self.warnings(&mut html);
        let _ = writeln!(
            html,
            "</main>\n<footer><p>Research software. Nothing here is investment advice.</p>\
             <p>Made by <code>{}</code>; the figures for programs are in <a href=\"summary.json\">summary.json</a>, \
             the seconds in <a href=\"timings.json\">timings.json</a>.</p></footer>\n</body>\n</html>",
            escaped(&self.command)
        );
        html
    }

    fn tiles(&self, html: &mut String) {
        let mut tiles: Vec<(&str, String, String)> = Vec::new();
        if let Some(rows) = &self.results.rows {
            let under = format!("{} validation, {} test", rows.validation, rows.test);
            tiles.push(("rows to learn from", rows.train.to_string(), under));
        }
        if let Some(test) = &self.results.test {
            let base = |show: fn(&super::results::Judgement) -> String| match &test.base {
                Some(base) => format!("base model {}", show(base)),
                None => String::new(),
            };
            let tuned = &test.tuned;
            tiles.push((
                "right calls",
                percent(tuned.accuracy, 1),
                base(|model| percent(model.accuracy, 1)),
            ));
            tiles.push((
                "answers with valid tags",
                percent(tuned.valid_tags, 1),
                base(|model| percent(model.valid_tags, 1)),
            ));
            tiles.push((
                "loss a token, in nats",
                number(tuned.loss, 3),
                base(|model| number(model.loss, 3)),
            ));
        }
        if let Some([ours, baseline, ..]) =
            self.results.backtest.as_ref().map(|backtest| backtest.portfolios.as_slice())
        {
            let against = |value: String| format!("{} {value}", baseline.name);
            tiles.push((
                "Sharpe ratio",
                number(ours.sharpe, 2),
                against(number(baseline.sharpe, 2)),
            ));
            tiles.push((
                "maximum drawdown",
                percent(ours.max_drawdown, 1),
                against(percent(baseline.max_drawdown, 1)),
            ));
        }
        if tiles.is_empty() {
            return;
        }
        html.push_str("<dl class=\"tiles\">\n");
        for (name, figure, under) in tiles {
            let _ = writeln!(
                html,
                "<div class=\"tile\"><dt>{name}</dt><dd><div class=\"figure\">{figure}</div>\
                 <div class=\"under\">{}</div></dd></div>",
                escaped(&under)
            );
        }
        html.push_str("</dl>\n");
    }

    /// The pages that a person reads.
    fn reports(&self, html: &mut String) {
        let files = self.stages.iter().flat_map(|stage| &stage.files);
        let pages: Vec<_> = files.filter(|(_, path)| path.ends_with(".html")).collect();
        if pages.is_empty() {
            return;
        }
        html.push_str("<ul class=\"reports\">");
        for (name, path) in pages {
            let _ = write!(html, "<li><a href=\"{}\">{name}</a></li>", link_path(path));
        }
        html.push_str("</ul>\n");
    }

    fn stages(&self, html: &mut String) {
        html.push_str("<h2>Stages, their files and commands</h2>\n");
        for stage in &self.stages {
            let made = flow::made(stage.name, self.results);
            let time = match stage.seconds {
                Some(seconds) => duration(seconds),
                None => "not finished".to_owned(),
            };
            let parts: Vec<String> =
                [escaped(&made), time].into_iter().filter(|part| !part.is_empty()).collect();
            let files: String = stage
                .files
                .iter()
                .map(|(name, path)| format!("<a href=\"{}\">{name}</a> ", link_path(path)))
                .collect();
            let _ = writeln!(
                html,
                "<section class=\"stage\"><div><h3>{}</h3><p class=\"aside\">{}</p></div>\
                 <div><p>{}</p><p class=\"files\">{files}</p>\
                 <details><summary>command</summary><pre><code>{}</code></pre></details></div></section>",
                stage.name.as_str(),
                escaped(stage.purpose),
                parts.join(" · "),
                escaped(&stage.command)
            );
        }
    }

    fn learned(&self, html: &mut String) {
        let curves = self.results.training.as_ref().and_then(|training| {
            Some([curve::curve(training, 980.0, 300.0)?, curve::curve(training, 366.0, 260.0)?])
        });
        if self.results.test.is_none() && curves.is_none() {
            return;
        }
        html.push_str("<h2>What the model learned</h2>\n");
        if let Some(test) = &self.results.test {
            self.test_table(html, test);
        }
        if let Some([wide, narrow]) = curves {
            let _ = writeln!(
                html,
                "<figure><div class=\"wide\">{wide}</div><div class=\"narrow\">{narrow}</div>\
                 <figcaption><span class=\"entry\"><span class=\"key train\"></span>loss of each step, in nats a target token</span>\
                 <span class=\"entry\"><span class=\"key validation\"></span>of the validation rows</span></figcaption></figure>"
            );
        }
    }

    fn test_table(&self, html: &mut String, test: &Test) {
        let _ = writeln!(
            html,
            "<p class=\"aside\">{} rows of the test, all of later dates than those of training.</p>\n\
             <div class=\"scroll\"><table><thead><tr><th></th><th>base</th><th>tuned</th></tr></thead><tbody>",
            test.rows
        );
        for (name, show) in TEST_FIGURES {
            let base = test.base.as_ref().map_or("n/a".to_owned(), show);
            let tuned = show(&test.tuned);
            let _ = writeln!(html, "<tr><td>{name}</td><td>{base}</td><td>{tuned}</td></tr>");
        }
        html.push_str("</tbody></table></div>\n");
    }

    fn earned(&self, html: &mut String) {
        let Some(backtest) = &self.results.backtest else { return };
        let _ = writeln!(
            html,
            "<h2>What trading on it would have earned</h2>\n<p class=\"aside\">{} to {}, after costs.</p>\n\
             <div class=\"scroll\"><table><thead><tr><th></th><th>return</th><th>Sharpe ratio</th>\
             <th>max drawdown</th></tr></thead><tbody>",
            escaped(&backtest.first_session),
            escaped(&backtest.last_session)
        );
        for (index, portfolio) in backtest.portfolios.iter().enumerate() {
            let class = if index == 0 { " class=\"ours\"" } else { "" };
            let _ = writeln!(
                html,
                "<tr{class}><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(&portfolio.name),
                percent(portfolio.total_return, 2),
                number(portfolio.sharpe, 3),
                percent(portfolio.max_drawdown, 2)
            );
        }
        html.push_str("</tbody></table></div>\n");
    }

    fn warnings(&self, html: &mut String) {
        let stages: Vec<_> =
            self.stages.iter().filter(|stage| !stage.warnings.is_empty()).collect();
        if stages.is_empty() {
            return;
        }
        html.push_str("<h2>Warnings</h2>\n");
        for stage in stages {
            let _ = writeln!(html, "<h3>{}</h3>\n<ul class=\"warnings\">", stage.name.as_str());
            for warning in stage.warnings.iter().take(MOST_WARNINGS) {
                let _ = writeln!(html, "<li>{}</li>", escaped(warning));
            }
            let more = stage.warnings.len().saturating_sub(MOST_WARNINGS);
            if more > 0 {
                let _ = writeln!(html, "<li>and {more} more, in the stage's logs</li>");
            }
            html.push_str("</ul>\n");
        }
    }
}

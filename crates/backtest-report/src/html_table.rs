//! Tables of the page. All text is escaped here.

use crate::text::escape;
use crate::{
    DrawdownSpan, DroppedOrders, FigureCell, FigureTable, MetricSection, Provenance, Value,
};

/// A metric a row, with the convention of its formula below its name.
pub(crate) fn metric_table(section: &MetricSection) -> String {
    let most = section.rows.iter().map(|row| row.values.len()).max().unwrap_or(0);
    let columns = section.columns.len().max(most);
    let name = |i: usize| section.columns.get(i).map_or("", String::as_str);
    let heads: String = (0..columns).map(|i| column_head(name(i))).collect();
    let rows = section.rows.iter().map(|row| {
        let how = span("how", &row.convention);
        let value = |i: usize| row.values.get(i).unwrap_or(&Value::Missing);
        let cells: String = (0..columns).map(|i| cell(value(i))).collect();
        format!("<tr><th scope=\"row\">{}{how}</th>{cells}</tr>\n", escape(&row.name))
    });
    let body: String = rows.collect();
    let head = format!("{}{heads}", column_head("Metric"));
    let table = scrolling(&section.title, "metrics wide", &head, &body);
    // Narrower than this the figures of neighbours would touch.
    let least = 250 + 82 * columns;
    table.replacen("<table ", &format!("<table style=\"min-width:{least}px\" "), 1)
}

/// Figures, each with a few words below it.
pub(crate) fn figure_table(table: &FigureTable) -> String {
    let most = table.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let columns = table.columns.len().max(most);
    let name = |i: usize| table.columns.get(i).map_or("", String::as_str);
    let heads: String = (0..columns).map(|i| column_head(name(i))).collect();
    let missing = FigureCell::from(Value::Missing);
    let rows = table.rows.iter().map(|row| {
        let how = span("how", &row.how);
        let of = |i: usize| row.cells.get(i).unwrap_or(&missing);
        let cells: String = (0..columns)
            .map(|i| {
                let FigureCell { value, under } = of(i);
                format!("<td>{}{}</td>", escape(&value.to_string()), span("range", under))
            })
            .collect();
        format!("<tr><th scope=\"row\">{}{how}</th>{cells}</tr>\n", escape(&row.name))
    });
    let body: String = rows.collect();
    scrolling(&table.title, "figures wide", &(column_head(&table.head) + &heads), &body)
}

/// Drawdowns by rank, their lengths in calendar days.
pub(crate) fn drawdown_table(drawdowns: &[DrawdownSpan]) -> String {
    let heads =
        ["Rank", "Depth", "Peak", "Trough", "Recovered", "Days down", "Days up", "Days in all"];
    let days = |from, to: Option<_>| match to {
        Some(to) => Value::Number(
            chrono::NaiveDate::signed_duration_since(to, from).num_days() as f64,
            0,
            String::new(),
        ),
        None => Value::Missing,
    };
    let row = |(i, span): (usize, &DrawdownSpan)| {
        let recovered = match span.recovery {
            Some(day) => Value::Date(day),
            None => Value::Text("not yet".to_owned()),
        };
        let cells = [
            Value::Percent(span.depth),
            Value::Date(span.peak),
            Value::Date(span.trough),
            recovered,
            days(span.peak, Some(span.trough)),
            days(span.trough, span.recovery),
            days(span.peak, span.recovery),
        ];
        let cells: String = cells.iter().map(cell).collect();
        format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", i + 1)
    };
    let body: String = drawdowns.iter().enumerate().map(row).collect();
    let head: String = heads.map(column_head).concat();
    scrolling("Drawdowns", "wide", &head, &body)
}

/// A name and a figure a row.
pub(crate) fn value_table(label: &str, rows: &[(String, Value)]) -> String {
    let row = |(name, value): &(String, Value)| {
        format!("<tr><th scope=\"row\">{}</th>{}</tr>\n", escape(name), cell(value))
    };
    let body: String = rows.iter().map(row).collect();
    let head = column_head("What") + &column_head("Figure");
    scrolling(label, "", &head, &body)
}

/// Unfilled orders by reason.
pub(crate) fn dropped_table(dropped: &[DroppedOrders]) -> String {
    let row = |orders: &DroppedOrders| {
        format!(
            "<tr><th scope=\"row\">{}</th>{}{}</tr>\n",
            escape(&orders.reason),
            cell(&Value::Count(orders.count)),
            text_cell(&escape(&orders.example))
        )
    };
    let body: String = dropped.iter().map(row).collect();
    let head = column_head("Reason") + &column_head("Orders") + &text_head("One of them");
    scrolling("Orders that were not filled", "", &head, &body)
}

/// A setting a row.
pub(crate) fn settings_table(settings: &[(String, String)]) -> String {
    let row = |(name, value): &(String, String)| text_row(name, &escape(value));
    let body: String = settings.iter().map(row).collect();
    scrolling("Settings", "", &(column_head("Setting") + &text_head("Value")), &body)
}

/// Program, commit and digests.
pub(crate) fn provenance_table(provenance: &Provenance) -> String {
    let code = |text: &str| format!("<code>{}</code>", escape(text));
    let mut body = String::new();
    if !provenance.tool.is_empty() {
        body += &text_row("Program", &escape(&provenance.tool));
    }
    if let Some(commit) = &provenance.git_commit {
        body += &text_row("Commit", &code(commit));
    }
    if !provenance.config_digest.is_empty() {
        body += &text_row("Settings' digest", &code(&provenance.config_digest));
    }
    body.extend(provenance.inputs.iter().map(|(name, digest)| text_row(name, &code(digest))));
    if body.is_empty() {
        return body;
    }
    scrolling("Provenance", "", &(column_head("Source") + &text_head("Identity")), &body)
}

/// A table that scrolls by itself where the page is too narrow.
pub(crate) fn scrolling(label: &str, class: &str, head: &str, body: &str) -> String {
    format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">\
         <table class=\"{class}\">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n",
        escape(label)
    )
}

pub(crate) fn column_head(name: &str) -> String {
    format!("<th scope=\"col\">{}</th>", escape(name))
}

fn text_head(name: &str) -> String {
    format!("<th scope=\"col\" class=\"text\">{}</th>", escape(name))
}

fn span(class: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("<span class=\"{class}\">{}</span>", escape(text))
}

fn cell(value: &Value) -> String {
    format!("<td>{}</td>", escape(&value.to_string()))
}

fn text_row(name: &str, html: &str) -> String {
    format!("<tr><th scope=\"row\">{}</th>{}</tr>\n", escape(name), text_cell(html))
}

fn text_cell(html: &str) -> String {
    format!("<td class=\"text\">{html}</td>")
}

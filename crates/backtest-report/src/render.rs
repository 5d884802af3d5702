use crate::html_table::{
    drawdown_table, dropped_table, metric_table, provenance_table, settings_table, value_table,
};
use crate::month_table::month_table;
use crate::page_theme::theme_rules;
use crate::text::escape;
use crate::{Note, Plot, TearSheet, Tile};

const CSS: &str = include_str!("page.css");
const DISCLAIMER: &str = "Research software; not investment advice.";

/// Writes a page that needs nothing else: no script, no font, no connection. It follows the
/// reader's light or dark scheme, and prints in the light one.
pub fn render(sheet: &TearSheet) -> String {
    let parts = parts(sheet);
    let links = parts.iter().map(|part| format!("<a href=\"#{}\">{}</a>", part.id, part.link));
    let links: String = links.collect();
    let mut main = warnings(&sheet.notes) + &tiles(&sheet.headline);
    main.extend(sheet.plots.first().map(figure));
    for Part { id, title, html, .. } in &parts {
        main += &format!(
            "<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{title}</h2>\n{html}</section>\n"
        );
    }
    let title = escape(&sheet.title);
    let theme = theme_rules();
    let lead = lead(sheet);
    // The policy lets nothing be loaded, whatever text has found its way into the page.
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{theme}{CSS}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n{lead}<nav aria-label=\"Parts of this page\">{links}</nav>\n</header>\n\
         <main>\n{main}</main>\n<footer>{DISCLAIMER}</footer>\n</body>\n</html>\n"
    )
}

struct Part {
    id: &'static str,
    link: &'static str,
    title: &'static str,
    html: String,
}

/// The parts of the page that have something to show, in their order.
fn parts(sheet: &TearSheet) -> Vec<Part> {
    let part = |id, title, html| Part { id, link: title, title, html };
    let mut parts = vec![
        part("metrics", "Metrics", metrics(sheet)),
        part("plots", "Plots", sheet.plots.iter().skip(1).map(figure).collect()),
        Part {
            id: "months",
            link: "Months",
            title: "Returns by month, in percent",
            html: month_table(&sheet.monthly),
        },
        part("drawdowns", "Drawdowns", drawdowns(sheet)),
        part("trading", "Trading", trading(sheet)),
        part("notes", "Notes", notes(&sheet.notes)),
        part("settings", "Settings", if_any(&sheet.settings, settings_table)),
        part("provenance", "Provenance", provenance_table(&sheet.provenance)),
    ];
    parts.retain(|part| !part.html.is_empty());
    parts
}

fn if_any<T>(rows: &[T], table: impl Fn(&[T]) -> String) -> String {
    if rows.is_empty() { String::new() } else { table(rows) }
}

fn lead(sheet: &TearSheet) -> String {
    let mut lead = String::new();
    if !sheet.subtitle.is_empty() {
        lead += &format!("<p class=\"lead\">{}</p>\n", escape(&sheet.subtitle));
    }
    if let Some((first, last)) = sheet.period {
        lead += &format!(
            "<p class=\"lead\"><time datetime=\"{first}\">{first}</time> to \
             <time datetime=\"{last}\">{last}</time></p>\n"
        );
    }
    lead + &format!("<p class=\"disclaimer\">{DISCLAIMER}</p>\n")
}

fn warnings(notes: &[Note]) -> String {
    let warnings: String = notes.iter().filter(|note| note.is_warning).map(item).collect();
    if warnings.is_empty() {
        return warnings;
    }
    format!("<ul class=\"warnings\" aria-label=\"Warnings\">\n{warnings}</ul>\n")
}

fn notes(notes: &[Note]) -> String {
    let notes: String = notes.iter().filter(|note| !note.is_warning).map(item).collect();
    if notes.is_empty() { notes } else { format!("<ul class=\"notes\">\n{notes}</ul>\n") }
}

fn item(note: &Note) -> String {
    format!("<li>{}</li>\n", escape(&note.text))
}

fn tiles(headline: &[Tile]) -> String {
    if headline.is_empty() {
        return String::new();
    }
    let tile = |tile: &Tile| {
        let (label, value, note) = (&tile.label, tile.value.to_string(), &tile.note);
        let mut under = String::new();
        if !note.is_empty() {
            under = format!("<dd class=\"under\">{}</dd>", escape(note));
        }
        format!(
            "<div class=\"tile\"><dt>{}</dt><dd class=\"figure\">{}</dd>{under}</div>\n",
            escape(label),
            escape(&value)
        )
    };
    format!("<dl class=\"tiles\">\n{}</dl>\n", headline.iter().map(tile).collect::<String>())
}

fn figure(plot: &Plot) -> String {
    let mut caption = String::new();
    if !plot.caption.is_empty() {
        caption = format!("<figcaption>{}</figcaption>", escape(&plot.caption));
    }
    format!("<figure class=\"plot\">\n{}{caption}</figure>\n", plot.svg)
}

fn metrics(sheet: &TearSheet) -> String {
    let mut html = String::new();
    for section in &sheet.sections {
        html += &format!("<h3>{}</h3>\n{}", escape(&section.title), aside(&section.note));
        html += &metric_table(section);
    }
    html
}

fn drawdowns(sheet: &TearSheet) -> String {
    const DAYS: &str = "Calendar days between closes. Depth is equity at the trough over that at the peak, minus 1.";
    if_any(&sheet.drawdowns, |rows| aside(DAYS) + &drawdown_table(rows))
}

fn trading(sheet: &TearSheet) -> String {
    let fills = if_any(&sheet.fills, |rows| value_table("Fills", rows));
    let dropped = if_any(&sheet.dropped, |rows| {
        format!("<h3>Orders that were not filled</h3>\n{}", dropped_table(rows))
    });
    fills + &dropped
}

fn aside(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("<p class=\"aside\">{}</p>\n", escape(text))
    }
}

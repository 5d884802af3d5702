//! The frame of a page: everything but its parts.

use chrono::NaiveDate;

use crate::page_theme::theme_rules;
use crate::text::escape;

const CSS: &str = include_str!("page.css");
const DISCLAIMER: &str = "Research software; not investment advice.";

/// What stands in the frame.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    pub(crate) subtitle: &'a str,
    /// First and last day of what the page is about.
    pub(crate) period: Option<(NaiveDate, NaiveDate)>,
    /// Style rules beside those that all pages have.
    pub(crate) css: &'static str,
    /// What comes before the parts.
    pub(crate) top: String,
    /// Those without anything to show are left out.
    pub(crate) parts: Vec<Part>,
}

/// A part with a title of its own.
pub(crate) struct Part {
    pub(crate) id: String,
    /// What the list of parts says.
    pub(crate) link: String,
    pub(crate) title: String,
    pub(crate) html: String,
}

impl Part {
    /// A part that the list of parts calls by its title.
    pub(crate) fn new(id: &str, title: &str, html: String) -> Self {
        Self { id: id.to_owned(), link: title.to_owned(), title: title.to_owned(), html }
    }
}

/// Writes a page that needs nothing else: no script, no font, no connection. It follows the
/// reader's light or dark scheme, and prints in the light one.
pub(crate) fn write_page(mut page: Page<'_>) -> String {
    page.parts.retain(|part| !part.html.is_empty());
    let link = |part: &Part| format!("<a href=\"#{}\">{}</a>", part.id, escape(&part.link));
    let links: String = page.parts.iter().map(link).collect();
    let mut main = page.top;
    for Part { id, title, html, .. } in &page.parts {
        let title = escape(title);
        main += &format!(
            "<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{title}</h2>\n{html}</section>\n"
        );
    }
    let title = escape(page.title);
    let theme = theme_rules();
    let lead = lead(page.subtitle, page.period);
    let css = page.css;
    // The policy lets nothing be loaded, whatever text has found its way into the page.
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{theme}{CSS}{css}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n{lead}<nav aria-label=\"Parts of this page\">{links}</nav>\n</header>\n\
         <main>\n{main}</main>\n<footer>{DISCLAIMER}</footer>\n</body>\n</html>\n"
    )
}

fn lead(subtitle: &str, period: Option<(NaiveDate, NaiveDate)>) -> String {
    let mut lead = String::new();
    if !subtitle.is_empty() {
        lead += &format!("<p class=\"lead\">{}</p>\n", escape(subtitle));
    }
    if let Some((first, last)) = period {
        lead += &format!(
            "<p class=\"lead\"><time datetime=\"{first}\">{first}</time> to \
             <time datetime=\"{last}\">{last}</time></p>\n"
        );
    }
    lead + &format!("<p class=\"disclaimer\">{DISCLAIMER}</p>\n")
}

//! Pieces that pages are made of. All text is escaped here.

use crate::text::escape;
use crate::{Note, Plot, Tile};

/// The warnings among the notes, for the top of a page.
pub(crate) fn warnings(notes: &[Note]) -> String {
    let warnings: String = notes.iter().filter(|note| note.is_warning).map(item).collect();
    if warnings.is_empty() {
        return warnings;
    }
    format!("<ul class=\"warnings\" aria-label=\"Warnings\">\n{warnings}</ul>\n")
}

/// The other notes.
pub(crate) fn notes(notes: &[Note]) -> String {
    let notes: String = notes.iter().filter(|note| !note.is_warning).map(item).collect();
    if notes.is_empty() { notes } else { format!("<ul class=\"notes\">\n{notes}</ul>\n") }
}

fn item(note: &Note) -> String {
    format!("<li>{}</li>\n", escape(&note.text))
}

/// Figures in large type.
pub(crate) fn tiles(headline: &[Tile]) -> String {
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

/// A plot with its caption.
pub(crate) fn figure(plot: &Plot) -> String {
    let mut caption = String::new();
    if !plot.caption.is_empty() {
        caption = format!("<figcaption>{}</figcaption>", escape(&plot.caption));
    }
    format!("<figure class=\"plot\">\n{}{caption}</figure>\n", plot.svg)
}

/// A remark in small type; nothing without a text.
pub(crate) fn aside(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("<p class=\"aside\">{}</p>\n", escape(text))
    }
}
/// What `table` makes of the rows; nothing without a row.
pub(crate) fn if_any<T>(rows: &[T], table: impl Fn(&[T]) -> String) -> String {
    if rows.is_empty() { String::new() } else { table(rows) }
}

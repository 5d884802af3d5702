use crate::html_table::{figure_table, provenance_table, settings_table};
use crate::page::{Page, Part, write_page};
use crate::page_parts::{aside, figure, if_any, notes, tiles, warnings};
use crate::text::escape;
use crate::{EvaluationPage, EvaluationPart, Meaning, SampleAnswer, SampleText};

const CSS: &str = include_str!("evaluation.css");
/// Characters of a sample's text that are shown.
const MOST_CHARACTERS: usize = 6_000;

/// Writes a page that needs nothing else: no script, no font, no connection. It follows the
/// reader's light or dark scheme, and prints in the light one.
pub fn render_evaluation(page: &EvaluationPage) -> String {
    let mut parts: Vec<Part> = page.parts.iter().enumerate().map(part).collect();
    parts.extend([
        Part::new("samples", "Answers", page.samples.iter().map(sample).collect()),
        Part::new("notes", "Notes", notes(&page.notes)),
        Part::new("meanings", "Meanings", if_any(&page.meanings, meanings)),
        Part::new("settings", "Settings", if_any(&page.settings, settings_table)),
        Part::new("provenance", "Provenance", provenance_table(&page.provenance)),
    ]);
    write_page(Page {
        title: &page.title,
        subtitle: &page.subtitle,
        period: page.period,
        css: CSS,
        top: warnings(&page.notes) + &tiles(&page.headline),
        parts,
    })
}

fn part((index, part): (usize, &EvaluationPart)) -> Part {
    let mut html = String::new();
    if !part.findings.is_empty() {
        let items = part.findings.iter().map(|text| format!("<li>{}</li>\n", escape(text)));
        html += &format!("<ul class=\"findings\">\n{}</ul>\n", items.collect::<String>());
    }
    html.extend(part.plots.iter().map(figure));
    for table in &part.tables {
        html += &format!("<h3>{}</h3>\n{}", escape(&table.title), aside(&table.note));
        html += &figure_table(table);
    }
    if !html.is_empty() {
        html = aside(&part.lead) + &html;
    }
    Part::new(&format!("part-{}", index + 1), &part.title, html)
}

fn sample(sample: &SampleAnswer) -> String {
    let facts = sample.facts.iter().map(|(name, value)| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value))
    });
    let facts: String = facts.collect();
    let texts: String = sample.texts.iter().map(sample_text).collect();
    let mut html = format!("<article class=\"sample\">\n<h3>{}</h3>\n", escape(&sample.title));
    if !facts.is_empty() {
        html += &format!("<dl class=\"facts\">\n{facts}</dl>\n");
    }
    if !texts.is_empty() {
        html += &format!("<div class=\"texts\">\n{texts}</div>\n");
    }
    html + "</article>\n"
}

fn sample_text(text: &SampleText) -> String {
    let (class, sign) = match text.is_right {
        Some(true) => (" right", "✓ "),
        Some(false) => (" wrong", "✗ "),
        None => ("", ""),
    };
    let mut verdict = String::new();
    if !text.verdict.is_empty() {
        verdict = format!(" <span class=\"verdict\">{sign}{}</span>", escape(&text.verdict));
    }
    let (name, body) = (escape(&text.name), lines(&text.text));
    format!(
        "<div class=\"answer{class}\"><h4>{name}{verdict}</h4>\
         <div class=\"said\" role=\"region\" tabindex=\"0\" aria-label=\"{name}\" dir=\"auto\">{body}</div></div>\n"
    )
}

/// A text with its line breaks.
fn lines(text: &str) -> String {
    if text.trim().is_empty() {
        return "<span class=\"empty\">nothing</span>".to_owned();
    }
    let cut = text.char_indices().nth(MOST_CHARACTERS).map(|(at, _)| at);
    let shown = &text[..cut.unwrap_or(text.len())];
    let mut lines: Vec<String> = shown.lines().map(escape).collect();
    if cut.is_some() {
        let more = text.chars().count() - MOST_CHARACTERS;
        lines.push(format!("<span class=\"empty\">… and {more} characters more</span>"));
    }
    lines.join("\n")
}

fn meanings(meanings: &[Meaning]) -> String {
    let row = |meaning: &Meaning| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(&meaning.name), escape(&meaning.text))
    };
    format!("<dl class=\"meanings\">\n{}</dl>\n", meanings.iter().map(row).collect::<String>())
}

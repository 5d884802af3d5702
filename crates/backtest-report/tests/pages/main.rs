//! Pages stand alone, escape what they are given, and leave out what is empty.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../common/mod.rs"]
mod common;
mod evaluation_page;
mod tear_sheet;

use roxmltree::{Document, Node};

/// The body is written so that it is XML too, but for the first line of the page.
fn body(page: &str) -> String {
    let (from, to) = (page.find("<body>").unwrap(), page.find("</body>").unwrap());
    page[from..to + "</body>".len()].to_owned()
}

fn texts(document: &Document<'_>, is_wanted: impl Fn(&Node<'_, '_>) -> bool) -> Vec<String> {
    let text = |node: Node<'_, '_>| {
        node.descendants().filter_map(|n| n.text().filter(|_| n.is_text())).collect()
    };
    document.descendants().filter(is_wanted).map(text).collect()
}

/// Nothing is loaded from elsewhere, `links` links lead to places of the page, and it says what it is.
#[track_caller]
fn assert_stands_alone(page: &str, links: usize) {
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    let document_text = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for sign in ["http:", "https:", "//", "url(", "@import", "src=", "<script", "<link", "<iframe"]
    {
        assert!(!document_text.contains(sign), "{sign}");
    }
    let body = body(page);
    let document = Document::parse(&body).unwrap();
    let found: Vec<_> = document.descendants().filter_map(|node| node.attribute("href")).collect();
    assert_eq!(found.len(), links);
    let has = |id: &str| document.descendants().any(|node| node.attribute("id") == Some(id));
    assert!(found.iter().all(|link| link.strip_prefix('#').is_some_and(has)), "{found:?}");
    assert_eq!(page.matches("Research software; not investment advice.").count(), 2);
    assert!(page.contains("prefers-color-scheme:dark") && page.contains("@media print"));
}

/// No tag of these stands in a page without content, which says what it is all the same.
#[track_caller]
fn assert_empty(page: &str, tags: &[&str]) {
    let body = body(page);
    Document::parse(&body).unwrap();
    for tag in tags {
        assert!(!body.contains(tag), "{tag}");
    }
    assert!(page.contains("not investment advice"));
}

//! The texts of an SVG document as boxes.

use roxmltree::{Document, Node};

/// A text's place on the paper, in CSS pixels.
#[derive(Debug)]
pub(crate) struct TextBox {
    pub(crate) text: String,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

/// Width and height of the document.
pub(crate) fn paper(document: &Document<'_>) -> (f64, f64) {
    let number = |name| document.root_element().attribute(name).and_then(|text| text.parse().ok());
    (number("width").expect("a width"), number("height").expect("a height"))
}

/// Texts of a document as boxes of a font of common width: 0.55 em a character, 0.7 em high.
pub(crate) fn text_boxes(document: &Document<'_>) -> Vec<TextBox> {
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| text_box(&node)).collect()
}

fn text_box(node: &Node<'_, '_>) -> TextBox {
    let number =
        |name| node.attribute(name).and_then(|text| text.parse::<f64>().ok()).expect(name) / 10.0;
    let text = node.text().unwrap_or_default().trim().to_owned();
    let (x, y, size) = (number("x"), number("y"), number("font-size"));
    let width = text.chars().count() as f64 * size * 0.55;
    let left = match node.attribute("text-anchor") {
        Some("middle") => x - width / 2.0,
        Some("end") => x - width,
        _ => x,
    };
    TextBox { text, left, right: left + width, top: y - size * 0.35, bottom: y + size * 0.35 }
}

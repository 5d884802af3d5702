use crate::Size;
use crate::canvas::UNITS_PER_PX;
use crate::text::escape;

/// Fonts of the reader's system; none is embedded.
const FONTS: &str =
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/// What plotters drew, scaled to CSS pixels under a root that names it.
pub(crate) fn svg_document(drawn: &str, size: Size, name: &str, summary: &str) -> String {
    let opened = drawn.find('>').map_or(0, |end| end + 1);
    let closed = drawn.rfind("</svg>").unwrap_or(drawn.len());
    // A quote is escaped in all text, so these can only be attributes. They are true of every
    // element and half of the file.
    let shapes = drawn
        .get(opened..closed)
        .unwrap_or_default()
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" \"/>", "\"/>");
    let Size { width, height } = size;
    let (name, summary) = (escape(name), escape(summary));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{name}\" \
         font-family=\"{FONTS}\" stroke-linejoin=\"round\">\n\
         <title>{name}</title>\n<desc>{summary}</desc>\n\
         <g transform=\"scale({})\">{shapes}</g>\n</svg>\n",
        1.0 / UNITS_PER_PX
    )
}

use roxmltree::{Document, Node};

use crate::outcome::RejectReason;
use crate::read::{Collector, Inherited, MAX_DEPTH};
use crate::tree::Tree;

/// Hands every thesis of a well-formed text to `collector`; the theses of a text that is not
/// well-formed are not touched.
///
/// Document types are refused: their entities could grow without bounds, and nothing outside of
/// the file is ever read.
pub(crate) fn read_document(
    text: &str,
    collector: &mut Collector<'_>,
) -> Result<(), roxmltree::Error> {
    let document = Document::parse(text)?;
    let mut tree = Tree::default();
    let mut skip_until = 0;
    for node in document.descendants().filter(|n| n.is_element()) {
        if node.range().start < skip_until || node.tag_name().name() != "thesis" {
            continue;
        }
        skip_until = node.range().end;
        tree.clear();
        if fill(&mut tree, node) {
            collector.thesis(&tree, &inherited(node), node.range());
        } else {
            let message = format!("elements nested deeper than {MAX_DEPTH} levels");
            collector.reject(RejectReason::TooDeep, node.range(), node.range().start, message);
        }
    }
    Ok(())
}

/// Copies an element into the tree; `false` where it is too deep.
fn fill<'d>(tree: &mut Tree<'d>, node: Node<'d, '_>) -> bool {
    if tree.depth() >= MAX_DEPTH {
        return false;
    }
    tree.open(node.tag_name().name(), node.range().start);
    for attribute in node.attributes() {
        tree.attribute(attribute.name(), attribute.value().into());
    }
    for child in node.children() {
        if child.is_element() {
            if !fill(tree, child) {
                return false;
            }
        } else if child.is_text()
            && let Some(text) = child.text()
        {
            tree.text(text.into(), child.range().start);
        }
    }
    tree.close();
    true
}

/// What the elements around a thesis say about it, the nearest first.
fn inherited<'d>(thesis: Node<'d, '_>) -> Inherited<'d> {
    let mut around: Vec<_> = thesis.ancestors().skip(1).collect();
    around.reverse();
    let mut inherited = Inherited::default();
    for attribute in around.iter().flat_map(|node| node.attributes()) {
        inherited.set(attribute.name(), attribute.value().into());
    }
    inherited
}

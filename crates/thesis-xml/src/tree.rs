use std::borrow::Cow;
use std::ops::Range;

/// The elements and texts of one thesis, flat and in document order, however they were read.
///
/// One tree is filled again for every thesis, so that reading a file allocates almost nothing.
#[derive(Debug, Default)]
pub(crate) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    attributes: Vec<(&'a str, Cow<'a, str>)>,
    open: Vec<usize>,
}

#[derive(Debug)]
struct Node<'a> {
    /// Where it begins, as a byte offset into the file's text.
    offset: usize,
    /// Index of the first node that is not inside of this one.
    end: usize,
    content: Content<'a>,
}

#[derive(Debug)]
enum Content<'a> {
    Element { name: &'a str, attributes: Range<usize> },
    Text(Cow<'a, str>),
}

/// An element of a [`Tree`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'t, 'a> {
    tree: &'t Tree<'a>,
    index: usize,
}

impl<'a> Tree<'a> {
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.attributes.clear();
        self.open.clear();
    }

    /// Opens an element; its attributes follow, then its content, then [`Tree::close`].
    pub(crate) fn open(&mut self, name: &'a str, offset: usize) {
        let attributes = self.attributes.len()..self.attributes.len();
        self.open.push(self.nodes.len());
        self.nodes.push(Node { offset, end: 0, content: Content::Element { name, attributes } });
    }

    /// Adds an attribute to the element opened last; `false` where it has one of that name.
    pub(crate) fn attribute(&mut self, name: &'a str, value: Cow<'a, str>) -> bool {
        let Some(Node { content: Content::Element { attributes, .. }, .. }) = self.nodes.last_mut()
        else {
            return false;
        };
        if self.attributes[attributes.clone()].iter().any(|(known, _)| *known == name) {
            return false;
        }
        self.attributes.push((name, value));
        attributes.end = self.attributes.len();
        true
    }

    pub(crate) fn text(&mut self, text: Cow<'a, str>, offset: usize) {
        let end = self.nodes.len() + 1;
        self.nodes.push(Node { offset, end, content: Content::Text(text) });
    }

    /// Closes the innermost open element.
    pub(crate) fn close(&mut self) {
        if let Some(index) = self.open.pop() {
            self.nodes[index].end = self.nodes.len();
        }
    }

    /// How many elements are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The name of the innermost open element.
    pub(crate) fn innermost(&self) -> Option<&'a str> {
        match &self.nodes[*self.open.last()?].content {
            Content::Element { name, .. } => Some(name),
            Content::Text(_) => None,
        }
    }

    /// The outermost element, once there is one.
    pub(crate) fn root(&self) -> Option<Element<'_, 'a>> {
        (!self.nodes.is_empty()).then_some(Element { tree: self, index: 0 })
    }
}

impl<'t, 'a> Element<'t, 'a> {
    pub(crate) fn name(self) -> &'a str {
        match &self.node().content {
            Content::Element { name, .. } => name,
            Content::Text(_) => "",
        }
    }

    /// Where its tag begins in the file's text.
    pub(crate) fn offset(self) -> usize {
        self.node().offset
    }

    pub(crate) fn attributes(self) -> &'t [(&'a str, Cow<'a, str>)] {
        match &self.node().content {
            Content::Element { attributes, .. } => &self.tree.attributes[attributes.clone()],
            Content::Text(_) => &[],
        }
    }

    pub(crate) fn attribute(self, name: &str) -> Option<&'t str> {
        self.attributes().iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    /// The elements directly inside of this one.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        let tree = self.tree;
        let end = self.node().end;
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            while index < end {
                let child = Element { tree, index };
                index = child.node().end;
                if matches!(child.node().content, Content::Element { .. }) {
                    return Some(child);
                }
            }
            None
        })
    }

    /// All text inside of this element, at any depth, in document order.
    pub(crate) fn text(self) -> Cow<'t, str> {
        let inside = &self.tree.nodes[self.index + 1..self.node().end];
        let mut texts = inside.iter().filter_map(|node| match &node.content {
            Content::Text(text) => Some(&**text),
            Content::Element { .. } => None,
        });
        match (texts.next(), texts.next()) {
            (None, _) => Cow::Borrowed(""),
            (Some(only), None) => Cow::Borrowed(only),
            (Some(first), Some(second)) => {
                Cow::Owned([first, second].into_iter().chain(texts).collect())
            }
        }
    }

    fn node(self) -> &'t Node<'a> {
        &self.tree.nodes[self.index]
    }
}
